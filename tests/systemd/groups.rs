//! Control groups for the machines: two that shared one would end each other's services.

use std::fs;
use std::path::{Path, PathBuf};

/// A group in each hierarchy that systemd uses; removed with its value, when it is empty.
pub(crate) struct Group {
    folders: Vec<PathBuf>,
}

impl Group {
    /// Makes one below the group of this process.
    pub(crate) fn create(name: &str) -> Self {
        let folders: Vec<PathBuf> = own().iter().map(|own| own.join(name)).collect();
        for folder in &folders {
            fs::create_dir_all(folder).expect("a control group can be made");
        }
        Self { folders }
    }

    /// What a shell does to join it.
    pub(crate) fn join(&self) -> String {
        let join = |folder: &PathBuf| format!("echo $$ > '{}/cgroup.procs'; ", folder.display());
        self.folders.iter().map(join).collect()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.folders.iter().for_each(|folder| remove(folder));
    }
}

/// What the names of the groups of a run begin with.
pub(crate) fn prefix(run: u32) -> String {
    format!("wirewatch-{run}-")
}

/// Removes what is left of this run, and of runs that were ended before they could.
pub(crate) fn sweep(this: u32) {
    for folder in own() {
        for one in fs::read_dir(folder).into_iter().flatten().flatten() {
            let name = one.file_name().to_string_lossy().into_owned();
            let run = name.strip_prefix("wirewatch-").and_then(|rest| rest.split_once('-'));
            let Some(run) = run.and_then(|(run, _)| run.parse::<u32>().ok()) else { continue };
            if run == this || !Path::new("/proc").join(run.to_string()).exists() {
                remove(&one.path());
            }
        }
    }
}

/// The folders of the groups that this process is in.
fn own() -> Vec<PathBuf> {
    let unified = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup"];
    let unified = unified.into_iter().find(|at| Path::new(at).join("cgroup.procs").exists());
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let folder = |line: &str| {
        let (_, line) = line.split_once(':')?;
        let (hierarchy, group) = line.split_once(':')?;
        let mounted = match hierarchy {
            "" => unified?,
            "name=systemd" => "/sys/fs/cgroup/systemd",
            _ => return None,
        };
        Some(Path::new(mounted).join(group.trim_start_matches('/')))
    };
    groups.lines().filter_map(folder).collect()
}

/// Only folders without folders can be removed; the files in them go by themselves.
fn remove(folder: &Path) {
    let below = fs::read_dir(folder).into_iter().flatten().flatten();
    below.map(|one| one.path()).filter(|path| path.is_dir()).for_each(|path| remove(&path));
    let _ = fs::remove_dir(folder);
}
