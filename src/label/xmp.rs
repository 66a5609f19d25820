//! XMP: wraps the label as a property in the XML that other programs expect.

const BEGIN: &str = "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n\
    <x:xmpmeta xmlns:x=\"adobe:ns:meta/\">\n<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">\n\
    <rdf:Description rdf:about=\"\" xmlns:stylizeVideo=\"urn:stylize-video:1\">\n";
const OPEN: &str = "<stylizeVideo:made>";
const CLOSE: &str = "</stylizeVideo:made>";
const END: &str = "\n</rdf:Description>\n</rdf:RDF>\n</x:xmpmeta>\n<?xpacket end=\"r\"?>";

/// Characters to escape in XML. `&` is escaped first and unescaped last.
const ESCAPED: [(char, &str); 3] = [('&', "&amp;"), ('<', "&lt;"), ('>', "&gt;")];

pub(super) fn packet(text: &str) -> Vec<u8> {
    let mut escaped = text.to_owned();
    for (plain, written) in ESCAPED {
        escaped = escaped.replace(plain, written);
    }
    [BEGIN, OPEN, &escaped, CLOSE, END].concat().into_bytes()
}

/// Returns the label of a packet; `None` if another program wrote the packet.
pub(super) fn text(packet: &[u8]) -> Option<String> {
    let packet = std::str::from_utf8(packet).ok()?;
    let (_, rest) = packet.split_once(OPEN)?;
    let (escaped, _) = rest.split_once(CLOSE)?;
    let mut text = escaped.to_owned();
    for (plain, written) in ESCAPED.iter().rev() {
        text = text.replace(written, &plain.to_string());
    }
    Some(text)
}
