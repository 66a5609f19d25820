"""Training of the network `brush`: made pictures, views, network, losses, judge, loop."""
