"""Training of the built-in network `brush`: made pictures, views, network, losses, judge, loop."""
