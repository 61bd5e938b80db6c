//! What the system says about memory, now.

use sysinfo::{MemoryRefreshKind, ProcessRefreshKind, ProcessesToUpdate, System};

use super::cgroup;

/// Bytes that can be taken without swapping: the machine's, or those left of a container's limit if that is less.
///
/// `None` where the system does not say; nothing can be refused then.
pub fn available() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = Some(system.available_memory()).filter(|free| *free > 0);
    machine.into_iter().chain(cgroup::available()).min()
}

/// Bytes of memory that the machine has, or that its container may take if that is less; `None` where the system does
/// not say.
pub fn installed() -> Option<u64> {
    let mut system = System::new().ok()?;
    system.refresh_memory_specifics(MemoryRefreshKind::nothing().with_ram());
    let machine = Some(system.total_memory()).filter(|total| *total > 0);
    machine.into_iter().chain(cgroup::limit()).min()
}

/// Gives memory that was freed back to the system: MLX and the allocator keep it for the next time else. On the
/// engine thread only.
///
/// # Errors
/// If MLX cannot be asked.
pub fn give_back() -> anyhow::Result<()> {
    mlx_rs::memory::clear_cache()?;
    // SAFETY: malloc_trim may be called at any time; it only returns free pages.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    unsafe {
        libc::malloc_trim(0);
    }
    Ok(())
}

/// Bytes of this process that are in memory now; `None` where the system does not say.
pub fn resident() -> Option<u64> {
    let pid = sysinfo::get_current_pid().ok()?;
    let mut system = System::new().ok()?;
    let only_memory = ProcessRefreshKind::nothing().with_memory().without_tasks();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), false, only_memory);
    system.process(pid).map(sysinfo::Process::memory)
}

/// The most bytes of this process that were in memory at any time; `None` where the system does not say.
#[cfg(target_os = "linux")]
pub fn peak_resident() -> Option<u64> {
    // Not from getrusage, whose figure a process inherits from the one that started it.
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

/// The most bytes of this process that were in memory at any time; `None` where the system does not say.
#[cfg(not(target_os = "linux"))]
pub fn peak_resident() -> Option<u64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: getrusage fills the struct it is given, and all-zero is a valid value of it.
    let usage = unsafe {
        if libc::getrusage(libc::RUSAGE_SELF, usage.as_mut_ptr()) != 0 {
            return None;
        }
        usage.assume_init()
    };
    // macOS counts bytes here; the BSDs count kibibytes.
    let unit = if cfg!(target_os = "macos") { 1 } else { 1024 };
    u64::try_from(usage.ru_maxrss).ok().map(|peak| peak * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_its_figures() {
        assert!(available().unwrap() > 1 << 20);
        let now = resident().unwrap();
        assert!(now > 100_000, "{now}");
        assert!(peak_resident().unwrap() > 100_000);
    }

    #[test]
    fn what_is_allocated_is_seen() {
        let before = peak_resident().unwrap();
        let block = std::hint::black_box(vec![1u8; 64 << 20]);
        assert!(peak_resident().unwrap() >= before.max(64 << 20));
        assert!(resident().unwrap() > 64 << 20);
        drop(block);
    }
}
