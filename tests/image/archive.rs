//! An image as it is handed out, and what is in it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;

/// The archive under test; it is built once.
static IMAGE: LazyLock<PathBuf> = LazyLock::new(|| match given() {
    Some(archive) => fs::canonicalize(archive).expect("WIREWATCH_IMAGE names an archive"),
    None => build(),
});

/// An archive that is there already.
pub(crate) fn given() -> Option<OsString> {
    env::var_os("WIREWATCH_IMAGE")
}

/// The image is made as `scripts/build-image` makes it for everybody.
fn build() -> PathBuf {
    let binary = env::var_os("WIREWATCH_BIN").unwrap_or(env!("CARGO_BIN_EXE_wirewatch").into());
    let binary = fs::canonicalize(binary).expect("the binary under test exists");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut script = Command::new("scripts/build-image");
    script.current_dir(env!("CARGO_MANIFEST_DIR")).env("WIREWATCH_BIN", binary);
    let output = script.env("CARGO_TARGET_DIR", folder).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    folder.join("image/wirewatch.tar")
}

/// An image that was unpacked, with the owners of its files.
pub(crate) struct Archive {
    folder: TempDir,
    config: Value,
}

impl Archive {
    pub(crate) fn unpack() -> Self {
        let folder = tempfile::Builder::new().prefix("wirewatch-image-").tempdir().unwrap();
        let parts = folder.path().join("parts");
        extract(&IMAGE, &parts);
        let read = |name: &str| -> Value {
            serde_json::from_slice(&fs::read(parts.join(name)).unwrap()).unwrap()
        };
        let manifest = read("manifest.json");
        let config = read(manifest[0]["Config"].as_str().unwrap())["config"].take();
        for layer in manifest[0]["Layers"].as_array().unwrap() {
            extract(&parts.join(layer.as_str().unwrap()), &folder.path().join("root"));
        }
        fs::remove_dir_all(parts).unwrap();
        Self { folder, config }
    }

    /// Where its files are.
    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("root")
    }

    /// A folder that goes with this one.
    pub(crate) fn beside(&self, name: &str) -> PathBuf {
        let folder = self.folder.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// What the image says for whoever starts it; null if it says nothing.
    pub(crate) fn setting(&self, name: &str) -> &Value {
        &self.config[name]
    }

    pub(crate) fn text(&self, name: &str) -> &str {
        self.config[name].as_str().unwrap_or_default()
    }

    pub(crate) fn words(&self, name: &str) -> Vec<String> {
        words(&self.config[name])
    }

    /// What is run.
    pub(crate) fn command(&self) -> Vec<String> {
        [self.words("Entrypoint"), self.words("Cmd")].concat()
    }

    /// What is run to ask for its health.
    pub(crate) fn health_command(&self) -> Vec<String> {
        let mut test = words(&self.config["Healthcheck"]["Test"]);
        assert_eq!(test.remove(0), "CMD", "there is no shell for anything else");
        test
    }
}

fn words(list: &Value) -> Vec<String> {
    let list = list.as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn extract(archive: &Path, folder: &Path) {
    fs::create_dir_all(folder).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--numeric-owner", "--same-permissions", "--file"]).arg(archive);
    assert!(tar.arg("--directory").arg(folder).status().unwrap().success(), "{tar:?}");
}
