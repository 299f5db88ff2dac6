//! A disk that can be cut off from its power, filled up, made read-only, and made to fail: a file system in memory,
//! mounted by FUSE.
//!
//! What was flushed survives a cut: a file's content by `fsync` of the file; its name and its folders' with it (as ext4
//! and XFS do), or by `fsync` of the folder. Of what was not flushed, a cut keeps nothing, or everything up to some write, or any sectors
//! of any writes, as chance will have it: a real disk writes in any order and tears what it is writing. From the moment
//! of the cut on nothing reaches the disk any more, whoever still runs.
//!
//! A flush that fails throws away what it should have written, as Linux does: the next one is good and the data is gone
//! all the same, once the power goes.

use std::{
    collections::{BTreeMap, BTreeSet},
    ffi::{OsStr, OsString},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, UNIX_EPOCH},
};

use anyhow::Context as _;
use fuser::{
    BackgroundSession, Config, Errno, FileAttr, FileHandle, FileType, Filesystem, FopenFlags, Generation, INodeNo,
    LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr, ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty,
    ReplyEntry, ReplyOpen, ReplyStatfs, ReplyWrite, Request, SessionACL, TimeOrNow, WriteFlags,
};
use rand::{Rng, rngs::StdRng};

/// How long the kernel may remember names and sizes. The program is the only one who changes them.
const REMEMBERED: Duration = Duration::from_secs(1);

/// What a disk writes at once or not at all, in bytes.
const SECTOR: usize = 512;

/// What the disk says it could hold where nothing is set, in bytes.
const ROOMY: u64 = 1 << 32;

/// The disk. It outlives its mounts.
pub struct Disk {
    mount: PathBuf,
    state: Arc<Mutex<State>>,
    session: Option<BackgroundSession>,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Trouble {
    /// Most bytes that it holds.
    pub room: Option<u64>,
    /// Nothing can be written.
    pub readonly: bool,
    /// Writes and flushes that fail, of 1.
    pub failing: f64,
    /// Flushes do nothing: the disk lies, and a cut keeps what was there before it began to.
    pub lying: bool,
}

/// What happened on it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counts {
    pub flushes: usize,
    /// Writes and flushes that failed by intention.
    pub failed: usize,
    /// Writes that were refused for want of room, or as nothing could be written.
    pub refused: usize,
    /// Bytes that were not flushed at cuts.
    pub dropped: u64,
}

/// A name in a folder.
type Name = (u64, OsString);

/// The folder in which all others are.
const TOP: u64 = 1;

#[derive(Default)]
struct State {
    /// Files and folders.
    files: BTreeMap<u64, File>,
    names: BTreeMap<Name, u64>,
    /// Names that survive a cut.
    durable_names: BTreeMap<Name, u64>,
    next: u64,
    trouble: Trouble,
    /// The power is off.
    off: bool,
    counts: Counts,
}

#[derive(Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// What was done to it since it was flushed.
    pending: Vec<Change>,
    is_folder: bool,
    mode: u16,
    user: u32,
    group: u32,
}

enum Change {
    Write(u64, Vec<u8>),
    Size(u64),
}

struct Mounted(Arc<Mutex<State>>);

impl Disk {
    /// An empty disk, mounted in this folder.
    pub fn new(mount: &Path) -> anyhow::Result<Disk> {
        std::fs::create_dir_all(mount)?;
        let top = File { is_folder: true, mode: 0o755, ..File::default() };
        let state = State { next: TOP + 1, files: BTreeMap::from([(TOP, top)]), ..State::default() };
        let mut disk = Disk { mount: mount.to_owned(), state: Arc::new(Mutex::new(state)), session: None };
        disk.mount()?;
        Ok(disk)
    }

    /// Where a file of that name is.
    pub fn file(&self, name: &str) -> PathBuf {
        self.mount.join(name)
    }

    /// This is wrong with it from now on.
    pub fn suffer(&self, trouble: Trouble) {
        self.state().trouble = trouble;
    }

    /// What happened so far.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// Bytes on it.
    pub fn used(&self) -> u64 {
        self.state().used()
    }

    /// Turns the power off. Nothing is written from here on; [`Disk::power_on`] shows what is left.
    pub fn power_off(&self) {
        self.state().off = true;
    }

    /// Turns it on again, with what survived. Nobody may have a file open any more.
    pub fn power_on(&mut self, random: &mut StdRng) -> anyhow::Result<()> {
        self.unmount()?;
        self.state().cut(random);
        self.mount()
    }

    /// Copies the files that lie in no folder of their own.
    pub fn copy_to(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let state = self.state();
        for ((_, name), id) in state.names.iter().filter(|((parent, _), _)| *parent == TOP) {
            if !state.files[id].is_folder {
                std::fs::write(folder.join(name), &state.files[id].live)?;
            }
        }
        Ok(())
    }

    /// Takes it away.
    pub fn unmount(&mut self) -> anyhow::Result<()> {
        match self.session.take() {
            Some(session) => session.umount_and_join().context("the disk can't be unmounted"),
            None => Ok(()),
        }
    }

    fn mount(&mut self) -> anyhow::Result<()> {
        let mut config = Config::default();
        // A server that refuses to run as root has a user of its own.
        if rustix::process::geteuid().is_root() {
            config.acl = SessionACL::All;
        }
        config.mount_options = vec![MountOption::FSName("usual-torture".to_owned()), MountOption::NoAtime];
        let session = fuser::spawn_mount(Mounted(Arc::clone(&self.state)), &self.mount, &config);
        self.session = Some(session.context("FUSE is needed (/dev/fuse, and fusermount3 of fuse3)")?);
        Ok(())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn used(&self) -> u64 {
        self.names.values().filter_map(|id| self.files.get(id)).map(|file| file.live.len() as u64).sum()
    }

    /// Whether something may be written: the disk is on, writable, and this one does not fail.
    fn may_write(&mut self, grows_by: u64) -> Result<(), Errno> {
        if self.off {
            return Err(Errno::EIO);
        }
        if self.trouble.readonly {
            self.counts.refused += 1;
            return Err(Errno::EROFS);
        }
        if self.fails() {
            return Err(Errno::EIO);
        }
        if self.trouble.room.is_some_and(|room| grows_by > 0 && self.used() + grows_by > room) {
            self.counts.refused += 1;
            return Err(Errno::ENOSPC);
        }
        Ok(())
    }

    fn fails(&mut self) -> bool {
        let fails = self.trouble.failing > 0.0 && rand::rng().random_bool(self.trouble.failing);
        self.counts.failed += usize::from(fails);
        fails
    }

    fn flush(&mut self, id: u64) -> Result<(), Errno> {
        if self.off {
            return Err(Errno::EIO);
        }
        self.counts.flushes += 1;
        if self.trouble.lying {
            return Ok(());
        }
        let fails = self.fails();
        let Some(file) = self.files.get_mut(&id) else { return Err(Errno::ENOENT) };
        let pending = std::mem::take(&mut file.pending);
        if fails {
            return Err(Errno::EIO);
        }
        pending.iter().for_each(|change| change.apply(&mut file.durable));
        self.keep_names(id);
        Ok(())
    }

    /// A file's names survive from here on, and those of the folders that it is in.
    fn keep_names(&mut self, id: u64) {
        let names = &self.names;
        self.durable_names.retain(|name, named| *named != id || names.get(name) == Some(&id));
        let named: Vec<Name> =
            self.names.iter().filter(|(_, named)| **named == id).map(|(name, _)| name.clone()).collect();
        for name in named {
            self.keep_names(name.0);
            self.durable_names.insert(name, id);
        }
    }

    /// Something new in a folder.
    fn make(&mut self, parent: INodeNo, name: &OsStr, file: File) -> Result<FileAttr, Errno> {
        self.may_write(0)?;
        let id = self.next;
        self.next += 1;
        self.files.insert(id, file);
        self.names.insert((parent.0, name.to_owned()), id);
        self.attributes(id).ok_or(Errno::ENOENT)
    }

    fn remove(&mut self, parent: INodeNo, name: &OsStr) -> Result<(), Errno> {
        self.may_write(0)?;
        self.names.remove(&(parent.0, name.to_owned())).map(|_| ()).ok_or(Errno::ENOENT)
    }

    fn cut(&mut self, random: &mut StdRng) {
        for file in self.files.values_mut().filter(|file| !file.is_folder) {
            let pending = std::mem::take(&mut file.pending);
            let written = |change: &Change| if let Change::Write(_, data) = change { data.len() as u64 } else { 0 };
            self.counts.dropped += pending.iter().map(written).sum::<u64>();
            let kept = match random.random_range(0..3) {
                _ if self.trouble.lying => Vec::new(),
                0 => Vec::new(),
                1 => {
                    let end = random.random_range(0..=pending.len());
                    pending.into_iter().take(end).collect()
                }
                _ => torn(pending, random),
            };
            kept.iter().for_each(|change| change.apply(&mut file.durable));
            file.live.clone_from(&file.durable);
        }
        self.names = self.durable_names.clone();
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        self.files.retain(|id, _| *id == TOP || named.contains(id));
        self.off = false;
    }

    fn attributes(&self, id: u64) -> Option<FileAttr> {
        let file = self.files.get(&id)?;
        let size = file.live.len() as u64;
        let kind = if file.is_folder { FileType::Directory } else { FileType::RegularFile };
        Some(FileAttr {
            ino: INodeNo(id),
            size,
            blocks: size.div_ceil(512),
            atime: UNIX_EPOCH,
            mtime: UNIX_EPOCH,
            ctime: UNIX_EPOCH,
            crtime: UNIX_EPOCH,
            kind,
            perm: file.mode,
            nlink: 1,
            uid: file.user,
            gid: file.group,
            rdev: 0,
            blksize: 4096,
            flags: 0,
        })
    }
}

impl File {
    fn new(request: &Request, is_folder: bool, mode: u32, mask: u32) -> File {
        let mode = (mode & !mask & 0o7777) as u16;
        File { is_folder, mode, user: request.uid(), group: request.gid(), ..File::default() }
    }
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Change::Write(offset, data) => {
                let (start, end) = (*offset as usize, *offset as usize + data.len());
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[start..end].copy_from_slice(data);
            }
            Change::Size(size) => content.resize(*size as usize, 0),
        }
    }
}

/// Any sectors of any writes.
fn torn(pending: Vec<Change>, random: &mut StdRng) -> Vec<Change> {
    let mut kept = Vec::new();
    for change in pending {
        match change {
            Change::Write(offset, data) => {
                for (at, sector) in data.chunks(SECTOR).enumerate() {
                    if random.random_bool(0.5) {
                        kept.push(Change::Write(offset + (at * SECTOR) as u64, sector.to_vec()));
                    }
                }
            }
            size @ Change::Size(_) if random.random_bool(0.5) => kept.push(size),
            Change::Size(_) => {}
        }
    }
    kept
}

impl Mounted {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let state = self.state();
        match state.names.get(&(parent.0, name.to_owned())).and_then(|id| state.attributes(*id)) {
            Some(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn getattr(&self, _: &Request, id: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.state().attributes(id.0) {
            Some(attributes) => reply.attr(&REMEMBERED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn setattr(
        &self,
        _: &Request,
        id: INodeNo,
        mode: Option<u32>,
        user: Option<u32>,
        group: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<std::time::SystemTime>,
        _: Option<FileHandle>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<std::time::SystemTime>,
        _: Option<fuser::BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut state = self.state();
        if let Some(size) = size {
            let grows_by = state.files.get(&id.0).map_or(0, |file| size.saturating_sub(file.live.len() as u64));
            if let Err(error) = state.may_write(grows_by) {
                return reply.error(error);
            }
            if let Some(file) = state.files.get_mut(&id.0) {
                file.live.resize(size as usize, 0);
                file.pending.push(Change::Size(size));
            }
        }
        if let Some(file) = state.files.get_mut(&id.0) {
            file.mode = mode.map_or(file.mode, |mode| (mode & 0o7777) as u16);
            (file.user, file.group) = (user.unwrap_or(file.user), group.unwrap_or(file.group));
        }
        match state.attributes(id.0) {
            Some(attributes) => reply.attr(&REMEMBERED, &attributes),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        mask: u32,
        _: i32,
        reply: ReplyCreate,
    ) {
        match self.state().make(parent, name, File::new(request, false, mode, mask)) {
            Ok(attributes) => {
                reply.created(&REMEMBERED, &attributes, Generation(0), FileHandle(0), FopenFlags::empty());
            }
            Err(error) => reply.error(error),
        }
    }

    fn mkdir(&self, request: &Request, parent: INodeNo, name: &OsStr, mode: u32, mask: u32, reply: ReplyEntry) {
        match self.state().make(parent, name, File::new(request, true, mode, mask)) {
            Ok(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            Err(error) => reply.error(error),
        }
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        let mut state = self.state();
        let folder = state.names.get(&(parent.0, name.to_owned())).copied();
        if state.names.keys().any(|(within, _)| Some(*within) == folder) {
            return reply.error(Errno::ENOTEMPTY);
        }
        match state.remove(parent, name) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn link(&self, _: &Request, id: INodeNo, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let mut state = self.state();
        if let Err(error) = state.may_write(0) {
            return reply.error(error);
        }
        state.names.insert((parent.0, name.to_owned()), id.0);
        match state.attributes(id.0) {
            Some(attributes) => reply.entry(&REMEMBERED, &attributes, Generation(0)),
            None => reply.error(Errno::ENOENT),
        }
    }

    fn open(&self, _: &Request, _: INodeNo, flags: OpenFlags, reply: ReplyOpen) {
        if self.state().trouble.readonly && flags.acc_mode() != fuser::OpenAccMode::O_RDONLY {
            return reply.error(Errno::EROFS);
        }
        reply.opened(FileHandle(0), FopenFlags::empty());
    }

    fn read(
        &self,
        _: &Request,
        id: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let state = self.state();
        let Some(file) = state.files.get(&id.0).filter(|_| !state.off) else { return reply.error(Errno::EIO) };
        let start = (offset as usize).min(file.live.len());
        let end = (start + size as usize).min(file.live.len());
        reply.data(&file.live[start..end]);
    }

    fn write(
        &self,
        _: &Request,
        id: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let mut state = self.state();
        let end = offset + data.len() as u64;
        let grows_by = state.files.get(&id.0).map_or(0, |file| end.saturating_sub(file.live.len() as u64));
        if let Err(error) = state.may_write(grows_by) {
            return reply.error(error);
        }
        let Some(file) = state.files.get_mut(&id.0) else { return reply.error(Errno::EIO) };
        let change = Change::Write(offset, data.to_vec());
        change.apply(&mut file.live);
        file.pending.push(change);
        reply.written(data.len() as u32);
    }

    fn fsync(&self, _: &Request, id: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        match self.state().flush(id.0) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn fsyncdir(&self, _: &Request, folder: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        let mut state = self.state();
        if state.off {
            return reply.error(Errno::EIO);
        }
        if !state.trouble.lying {
            let within = |(name, _): &(&Name, &u64)| name.0 == folder.0;
            let now: Vec<(Name, u64)> =
                state.names.iter().filter(within).map(|(name, id)| (name.clone(), *id)).collect();
            state.durable_names.retain(|name, _| name.0 != folder.0);
            state.durable_names.extend(now);
            state.keep_names(folder.0);
        }
        reply.ok();
    }

    fn flush(&self, _: &Request, _: INodeNo, _: FileHandle, _: LockOwner, reply: ReplyEmpty) {
        reply.ok();
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        match self.state().remove(parent, name) {
            Ok(()) => reply.ok(),
            Err(error) => reply.error(error),
        }
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        let mut state = self.state();
        if let Err(error) = state.may_write(0) {
            return reply.error(error);
        }
        match state.names.remove(&(parent.0, name.to_owned())) {
            Some(id) => {
                state.names.insert((new_parent.0, new.to_owned()), id);
                reply.ok();
            }
            None => reply.error(Errno::ENOENT),
        }
    }

    fn readdir(&self, _: &Request, folder: INodeNo, _: FileHandle, offset: u64, mut reply: ReplyDirectory) {
        let state = self.state();
        // By number, so that whoever removes what is listed meanwhile misses nothing.
        let within = state.names.iter().filter(|((parent, _), id)| *parent == folder.0 && **id > offset);
        let mut within: Vec<(u64, &OsString)> = within.map(|((_, name), id)| (*id, name)).collect();
        within.sort_unstable();
        for (id, name) in within {
            let kind = if state.files[&id].is_folder { FileType::Directory } else { FileType::RegularFile };
            if reply.add(INodeNo(id), id, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        let state = self.state();
        let room = state.trouble.room.unwrap_or(ROOMY);
        let (all, free) = (room / 4096, room.saturating_sub(state.used()) / 4096);
        reply.statfs(all, free, free, 0, 0, 4096, 255, 4096);
    }
}
