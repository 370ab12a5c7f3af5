//! Images through restarts, damage and lack of room.
#![expect(clippy::unwrap_used, reason = "a part of the tests")]

use std::path::{Path, PathBuf};

use hearth_templates::{ImageKey, Images, ImagesConfig, ImagesError};
use hearth_types::AccountId;

/// A file system in memory, where Linux has one.
const MEMORY: &str = "/dev/shm";
const PAGE: usize = 4096;

struct World {
    dir: tempfile::TempDir,
    hot: tempfile::TempDir,
    disk_bytes_max: u64,
    hot_bytes_max: u64,
}

impl World {
    fn new() -> Self {
        let hot = tempfile::tempdir_in(MEMORY).unwrap();
        Self { dir: tempfile::tempdir().unwrap(), hot, disk_bytes_max: 1 << 30, hot_bytes_max: 1 << 30 }
    }

    fn open(&self) -> Images {
        Images::open(ImagesConfig {
            dir: self.dir.path().join("templates"),
            hot_dir: self.hot.path().join("hot"),
            disk_bytes_max: self.disk_bytes_max,
            hot_bytes_max: self.hot_bytes_max,
        })
        .unwrap()
    }

    /// Every file on disk below the images' directory.
    fn files(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut open = vec![self.dir.path().to_owned()];
        while let Some(dir) = open.pop() {
            for entry in fs_err::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { open.push(path) } else { found.push(path) }
            }
        }
        found.sort();
        found
    }

    fn chunks(&self) -> Vec<PathBuf> {
        self.files().into_iter().filter(|path| path.components().any(|part| part.as_os_str() == "chunks")).collect()
    }
}

fn account(number: u64) -> AccountId {
    format!("{number:012}").parse().unwrap()
}

fn key(number: u8) -> ImageKey {
    ImageKey::of(&[&[number]])
}

/// Pages that no two seeds have in common.
fn content(seed: u8, pages: usize) -> Vec<u8> {
    let mut state = u64::from(seed) + 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(&mut next).take(pages * PAGE / 8).flatten().collect()
}

fn keep(images: &Images, account: &AccountId, key: ImageKey, files: &[(&str, Vec<u8>)]) {
    let draft = images.draft().unwrap();
    for (name, bytes) in files {
        fs_err::write(draft.path().join(name), bytes).unwrap();
    }
    images.keep(account, key, draft).unwrap();
}

fn read(images: &Images, account: &AccountId, key: ImageKey, name: &str) -> Option<Vec<u8>> {
    let hot = images.fetch(account, key).unwrap()?;
    Some(fs_err::read(hot.path().join(name)).unwrap())
}

#[test]
fn images_come_back_after_a_restart_byte_for_byte() {
    let world = World::new();
    let files = [("pages", content(1, 100)), ("empty", Vec::new()), ("odd", vec![7; 65_537])];
    keep(&world.open(), &account(1), key(1), &files);
    let images = world.open();
    for (name, bytes) in files {
        assert_eq!(read(&images, &account(1), key(1), name).unwrap(), bytes, "{name}");
    }
    assert_eq!(read(&images, &account(1), key(2), "pages"), None);
    assert_eq!(read(&images, &account(2), key(1), "pages"), None);
}

#[test]
fn nothing_of_an_image_can_be_read_on_disk() {
    let world = World::new();
    let secret = b"the secret that a function had in its memory";
    keep(&world.open(), &account(1), key(1), &[("pages", secret.repeat(100))]);
    for file in world.files() {
        let bytes = fs_err::read(&file).unwrap();
        assert!(!bytes.windows(16).any(|window| window == &secret[..16]), "{}", file.display());
    }
    let mode = std::os::unix::fs::PermissionsExt::mode(
        &fs_err::metadata(world.dir.path().join("templates/master.key")).unwrap().permissions(),
    );
    assert_eq!(mode & 0o077, 0);
}

#[test]
fn what_images_of_an_account_have_in_common_is_there_once_and_what_accounts_have_is_not() {
    let world = World::new();
    let images = world.open();
    let shared = content(1, 160);
    keep(&images, &account(1), key(1), &[("pages", shared.clone())]);
    let (alone, _) = images.sizes();
    keep(&images, &account(1), key(2), &[("pages", [shared.clone(), content(2, 16)].concat())]);
    let (both, _) = images.sizes();
    assert!(both < alone * 3 / 2, "{alone} {both}");
    keep(&images, &account(2), key(1), &[("pages", shared)]);
    assert!(images.sizes().0 > both + alone / 2);
    images.remove(&account(1), key(1));
    assert_eq!(read(&images, &account(1), key(2), "pages").unwrap().len(), 176 * PAGE);
    images.remove(&account(1), key(2));
    images.remove(&account(2), key(1));
    assert_eq!((images.sizes(), world.chunks()), ((0, 0), Vec::new()));
}

#[test]
fn every_damage_is_found_and_the_image_then_gone() {
    let world = World::new();
    let plain = content(1, 40);
    keep(&world.open(), &account(1), key(1), &[("pages", plain.clone())]);
    let cut = |whole: &[u8]| whole[..whole.len() - 1].to_vec();
    let flip = |whole: &[u8]| {
        let mut flipped = whole.to_vec();
        flipped[whole.len() / 2] ^= 0x10;
        flipped
    };
    let empty = |_: &[u8]| Vec::new();
    for number in 0..world.files().len() {
        for damage in [&cut as &dyn Fn(&[u8]) -> Vec<u8>, &flip, &empty] {
            // Names of chunks change with the account's keys, which are damaged too.
            let victim = world.files().swap_remove(number);
            fs_err::write(&victim, damage(&fs_err::read(&victim).unwrap())).unwrap();
            let images = world.open();
            match images.fetch(&account(1), key(1)) {
                Err(ImagesError::Broken) | Ok(None) => {}
                other => panic!("{} {other:?}", victim.display()),
            }
            assert!(!images.contains(&account(1), key(1)));
            keep(&images, &account(1), key(1), &[("pages", plain.clone())]);
            drop(images);
            assert_eq!(read(&world.open(), &account(1), key(1), "pages").unwrap(), plain);
        }
    }
}

#[test]
fn a_start_removes_what_was_being_written_and_what_nobody_names() {
    let world = World::new();
    keep(&world.open(), &account(1), key(1), &[("pages", content(1, 40))]);
    let base = world.dir.path().join("templates").join(account(1).as_str());
    let whole = world.files().len();
    for stray in ["images/.new-abc".to_owned(), "images/xyz".to_owned(), format!("chunks/00/{}", "0".repeat(64))] {
        fs_err::create_dir_all(base.join(&stray).parent().unwrap()).unwrap();
        fs_err::write(base.join(stray), "half").unwrap();
    }
    let images = world.open();
    assert_eq!(world.files().len(), whole);
    assert!(images.contains(&account(1), key(1)));
}

#[test]
fn the_least_recently_used_make_room() {
    let world = World { disk_bytes_max: 500_000, hot_bytes_max: 300_000, ..World::new() };
    let images = world.open();
    for number in 0..3 {
        keep(&images, &account(1), key(number), &[("pages", content(number, 40))]);
    }
    assert!(images.fetch(&account(1), key(0)).unwrap().is_some());
    assert!(images.sizes().1 <= 300_000);
    keep(&images, &account(1), key(3), &[("pages", content(3, 40))]);
    let left: Vec<bool> = (0..4).map(|number| images.contains(&account(1), key(number))).collect();
    assert_eq!(left, [true, false, true, true], "{:?}", images.sizes());
}

#[test]
fn an_image_larger_than_all_may_be_is_refused() {
    let world = World { disk_bytes_max: 10_000, ..World::new() };
    let images = world.open();
    let draft = images.draft().unwrap();
    fs_err::write(draft.path().join("pages"), content(1, 10)).unwrap();
    let refused = images.keep(&account(1), key(1), draft);
    assert!(matches!(refused, Err(ImagesError::TooLarge { bytes: 40_960 })), "{refused:?}");
    let left = fs_err::read_dir(world.hot.path().join("hot")).unwrap().map(|entry| entry.unwrap().file_name());
    assert_eq!(left.collect::<Vec<_>>(), ["lock"]);
}

#[test]
fn an_image_that_cannot_be_written_whole_leaves_nothing() {
    let world = World::new();
    let images = world.open();
    let draft = images.draft().unwrap();
    fs_err::write(draft.path().join("pages"), content(1, 40)).unwrap();
    // Comes after the pages, and cannot be read as a file.
    fs_err::create_dir(draft.path().join("tail")).unwrap();
    let refused = images.keep(&account(1), key(1), draft);
    assert!(matches!(refused, Err(ImagesError::Io { .. })), "{refused:?}");
    assert_eq!((world.chunks(), images.sizes()), (vec![], (0, 0)));
    assert!(!images.contains(&account(1), key(1)));
}

#[test]
fn a_chunk_that_was_lost_and_written_again_is_that_of_every_image_that_names_it() {
    let world = World::new();
    let images = world.open();
    keep(&images, &account(1), key(1), &[("pages", content(1, 1))]);
    keep(&images, &account(1), key(2), &[("pages", content(1, 1))]);
    images.close();
    let [chunk] = &world.chunks()[..] else { panic!("{:?}", world.chunks()) };
    fs_err::remove_file(chunk).unwrap();
    drop(images);
    let images = world.open();
    assert!(matches!(images.fetch(&account(1), key(1)), Err(ImagesError::Broken)));
    keep(&images, &account(1), key(3), &[("pages", content(1, 1))]);
    images.remove(&account(1), key(3));
    assert!(images.fetch(&account(1), key(2)).unwrap().is_some());
}

#[test]
fn directories_of_processes_that_were_killed_are_removed_and_those_of_living_ones_are_not() {
    let world = World::new();
    let open = |name: &str| {
        Images::open(ImagesConfig {
            dir: world.dir.path().join(name),
            hot_dir: world.hot.path().join(format!("hearth-{name}")),
            disk_bytes_max: 1 << 20,
            hot_bytes_max: 1 << 20,
        })
    };
    let living = open("living").unwrap();
    let left = world.hot.path().join("hearth-left");
    fs_err::create_dir_all(left.join("0")).unwrap();
    fs_err::write(left.join("lock"), "").unwrap();
    let other = open("other").unwrap();
    assert!(!left.exists());
    assert!(world.hot.path().join("hearth-living").exists());
    open("living").unwrap_err();
    other.close();
    drop(living);
    assert_eq!(fs_err::read_dir(world.hot.path()).unwrap().count(), 0);
}

#[test]
fn copies_in_memory_live_as_long_as_they_are_held() {
    let world = World::new();
    let images = world.open();
    keep(&images, &account(1), key(1), &[("pages", content(1, 4))]);
    let hot = images.fetch(&account(1), key(1)).unwrap().unwrap();
    images.remove(&account(1), key(1));
    let path: PathBuf = hot.path().to_owned();
    assert!(path.join("pages").exists());
    drop(hot);
    assert!(!path.exists());
}

#[test]
fn only_a_directory_of_ones_own_in_memory_will_do() {
    let world = World::new();
    let config = |hot_dir: &Path| ImagesConfig {
        dir: world.dir.path().join("templates"),
        hot_dir: hot_dir.to_owned(),
        disk_bytes_max: 1,
        hot_bytes_max: 1,
    };
    let on_disk = Images::open(config(&Path::new("/proc").join("hot")));
    assert!(matches!(on_disk, Err(ImagesError::NotInMemory { .. })), "{on_disk:?}");
    let open_to_all = world.hot.path().join("open");
    fs_err::create_dir(&open_to_all).unwrap();
    std::fs::set_permissions(&open_to_all, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    Images::open(config(&open_to_all)).unwrap_err();
    let link = world.hot.path().join("link");
    fs_err::os::unix::fs::symlink(world.dir.path(), &link).unwrap();
    Images::open(config(&link)).unwrap_err();
}

#[test]
fn whose_image_is_being_written_holds_up_nobody_else_and_not_its_own_images_either() {
    let world = World::new();
    let images = world.open();
    let (one, other) = (account(1), account(2));
    keep(&images, &one, key(1), &[("pages", content(1, 4))]);
    let slow = images.draft().unwrap();
    // A file that nobody writes to for now.
    let pipe = slow.path().join("pipe");
    rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0).unwrap();
    fs_err::write(slow.path().join("a"), content(2, 4)).unwrap();
    std::thread::scope(|scope| {
        let kept = scope.spawn(|| images.keep(&one, key(2), slow));
        // It has come as far as the pipe, once its first file is on disk.
        while world.chunks().len() < 2 {
            std::thread::yield_now();
        }
        images.close();
        assert_eq!(read(&images, &one, key(1), "pages").unwrap(), content(1, 4));
        images.remove(&one, key(1));
        keep(&images, &other, key(1), &[("pages", content(3, 4))]);
        assert_eq!(images.list(), [(other.clone(), key(1))]);
        drop(fs_err::OpenOptions::new().write(true).open(&pipe).unwrap());
        kept.join().unwrap().unwrap();
    });
    assert_eq!(read(&images, &one, key(2), "a").unwrap(), content(2, 4));
    drop(images);
    assert_eq!(read(&world.open(), &one, key(2), "a").unwrap(), content(2, 4), "also of what was on disk");
}
