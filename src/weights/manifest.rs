//! What is known of a network's weights: `weights/NAME.toml`, compiled in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::WeightsError;

const COMPILED_IN: [&str; 4] = [
    include_str!("../../weights/vgg19.toml"),
    include_str!("../../weights/vgg16.toml"),
    include_str!("../../weights/squeezenet1_0.toml"),
    include_str!("../../weights/squeezenet1_1.toml"),
];

/// A network's weights: where they come from and what their file must hold.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// As in the setting `network.backbone`.
    pub name: String,
    pub description: String,
    /// Who trained the weights, for the reader.
    pub source: String,
    /// An SPDX expression.
    pub licence: String,
    pub download: Download,
    /// Where the model hub has the same weights, if it has them.
    pub hub: Option<Hub>,
    pub input: Input,
    /// Index in the network's `features` whose output each layer is.
    pub layers: BTreeMap<String, usize>,
    /// Shape of every tensor the file must hold; others in it are ignored.
    pub tensors: BTreeMap<String, Vec<usize>>,
}

/// The file as torchvision publishes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Download {
    /// The folder; a mirror may stand in for it.
    pub url: String,
    pub file: String,
    /// First hexadecimal digits of the file's SHA-256.
    pub sha256_prefix: String,
    /// In MiB. The installed file is smaller where the network has layers that are not needed.
    pub size_mib: f64,
}

/// A file in a repository of the model hub.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    pub repo: String,
    pub file: String,
}

/// The network wants RGB in 0..=1, less `mean`, divided by `std`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// When a key is missing, unknown or of the wrong kind; the message points at it.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        Ok(toml::from_str(text)?)
    }

    /// `NAME.safetensors`: what the installed file is called.
    pub fn file_name(&self) -> String {
        file_name(&self.name)
    }

    /// Bytes of the installed file's numbers, as 32-bit floats.
    pub fn installed_bytes(&self) -> u64 {
        self.tensors.values().map(|shape| 4 * shape.iter().map(|&n| n as u64).product::<u64>()).sum()
    }
}

pub(super) fn file_name(network: &str) -> String {
    format!("{network}.safetensors")
}

/// The networks whose weights can be had.
pub fn all() -> Vec<Manifest> {
    // A manifest that does not parse would be missing here; a test sees to it that all four do.
    COMPILED_IN.iter().filter_map(|text| Manifest::parse(text).ok()).collect()
}

/// The manifest of a network.
///
/// # Errors
/// When there is none of that name; the message lists those there are.
pub fn known(name: &str) -> Result<Manifest, WeightsError> {
    let manifests = all();
    let names = manifests.iter().map(|manifest| manifest.name.clone()).collect();
    manifests
        .into_iter()
        .find(|manifest| manifest.name == name)
        .ok_or_else(|| WeightsError::UnknownNetwork { name: name.to_owned(), known: names })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn every_manifest_parses_and_describes_a_network() {
        let manifests = all();
        assert_eq!(manifests.len(), COMPILED_IN.len());
        for text in COMPILED_IN {
            Manifest::parse(text).unwrap();
        }
        for manifest in manifests {
            assert!(manifest.download.file.contains(&manifest.download.sha256_prefix), "{}", manifest.name);
            assert_eq!(manifest.download.sha256_prefix.len(), 8);
            assert!(manifest.tensors.keys().all(|name| name.starts_with("features.")));
            let weights = manifest.tensors.keys().filter(|name| name.ends_with(".weight")).count();
            assert_eq!(weights * 2, manifest.tensors.len(), "every weight has its bias");
            assert!(manifest.layers.len() >= 5);
        }
    }

    #[test]
    fn counts_parameters_as_the_papers_do() {
        assert_eq!(known("vgg19").unwrap().installed_bytes() / 4, 20_024_384);
        assert_eq!(known("vgg16").unwrap().installed_bytes() / 4, 14_714_688);
        assert_eq!(known("squeezenet1_0").unwrap().installed_bytes() / 4, 735_424);
    }

    #[test]
    fn an_unknown_key_is_refused() {
        let text = COMPILED_IN[0].replace("[download]", "colour = 3\n[download]");
        assert!(Manifest::parse(&text).unwrap_err().to_string().contains("colour"));
    }

    #[test]
    fn an_unknown_network_names_those_there_are() {
        let message = known("vgg91").unwrap_err().to_string();
        assert!(message.contains("vgg91") && message.contains("vgg19, vgg16"), "{message}");
    }
}
