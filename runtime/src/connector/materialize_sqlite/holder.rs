//! Who holds the lock of a database, as far as the system tells.

use std::fs;
use std::path::{Path, PathBuf};

/// The process that holds a lock for writing on a database or on the files beside it, such as "process 12 (`sqlite3`)";
/// `None` when that is not known: on other systems than Linux, and across containers.
pub(super) fn holder(database: &Path) -> Option<String> {
    let locks = fs::read_to_string("/proc/locks").ok()?;
    let files = ["", "-shm", "-wal"].map(|suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        PathBuf::from(name)
    });
    let places: Vec<String> = files.iter().filter_map(|file| place(file)).collect();
    let pid = locks.lines().find_map(|line| writer(line, &places))?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    match program.trim() {
        "" => Some(format!("process {pid}")),
        program => Some(format!("process {pid} (`{program}`)")),
    }
}

/// The process of a line such as `1: POSIX  ADVISORY  WRITE 3568 fd:00:2531452 0 EOF` about one of the files.
fn writer(line: &str, places: &[String]) -> Option<u32> {
    let mut words = line.split_whitespace().skip_while(|word| *word != "WRITE").skip(1);
    let pid = words.next()?.parse().ok()?;
    let place = words.next()?;
    places.iter().any(|known| known == place).then_some(pid)
}

/// The device and inode of a file as the table of locks has them.
#[cfg(target_os = "linux")]
fn place(file: &Path) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = fs::metadata(file).ok()?;
    let device = metadata.dev();
    let major = device >> 8 & 0xfff | device >> 32 & !0xfff;
    let minor = device & 0xff | device >> 12 & !0xff;
    Some(format!("{major:02x}:{minor:02x}:{}", metadata.ino()))
}

#[cfg(not(target_os = "linux"))]
fn place(_file: &Path) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writers_of_the_files_are_found() {
        let places = ["fd:00:25".to_owned()];
        let line = |rest: &str| writer(&format!("1: POSIX  ADVISORY  {rest}"), &places);
        assert_eq!(line("WRITE 3568 fd:00:25 0 EOF"), Some(3568));
        assert_eq!(line("READ 3568 fd:00:25 0 EOF"), None);
        assert_eq!(line("WRITE 3568 fd:00:26 0 EOF"), None);
        assert_eq!(line("WRITE -1 fd:00:25 0 EOF"), None);
        assert_eq!(writer("", &places), None);
    }
}
