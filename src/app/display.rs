//! Is there a display to draw on? Asked before the window is opened, because what the libraries
//! below say to a missing one fills pages.

use anyhow::{Result, bail};

/// What does the window's work in a terminal.
const HEADLESS: &str = "without a window there are vitrine chat, vitrine generate and vitrine step (see vitrine --help)";

/// The way to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// As the system has it.
    Usual,
    /// X11, though Wayland is named: nobody answers there.
    X11,
}

/// Finds the way to the screen.
///
/// # Errors
/// If there is none, or a library is missing that the way needs; one sentence says what to do.
pub fn find() -> Result<Display> {
    if !cfg!(target_os = "linux") {
        return Ok(Display::Usual);
    }
    let variable = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let has_wayland = variable("WAYLAND_SOCKET") || answers_wayland();
    let display = choose(
        has_wayland,
        variable("WAYLAND_DISPLAY"),
        variable("DISPLAY"),
    );
    let Some(display) = display else {
        bail!("there is no display to open a window on: {HEADLESS}");
    };
    let missing = missing_libraries(!has_wayland);
    if !missing.is_empty() {
        bail!(
            "the window needs {}, which this machine has not: on Debian or Ubuntu install them with \
             apt-get install {}; {HEADLESS}",
            plural(missing.len()),
            missing.join(" ")
        );
    }
    Ok(display)
}

/// What opening a window on the way found out, as one sentence.
#[must_use]
pub fn explain(error: &eframe::Error) -> String {
    let why = match error {
        eframe::Error::AppCreation(error) => return format!("the window cannot begin: {error}"),
        eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
            "the display does not answer".to_owned()
        }
        _ => {
            "the display has no OpenGL: on Debian or Ubuntu apt-get install libgl1-mesa-dri draws \
              without a graphics card"
                .to_owned()
        }
    };
    format!("the window cannot be opened, because {why}; {HEADLESS}")
}

fn choose(has_wayland: bool, names_wayland: bool, names_x11: bool) -> Option<Display> {
    match (has_wayland, names_x11) {
        (true, _) => Some(Display::Usual),
        (false, true) if names_wayland => Some(Display::X11),
        (false, true) => Some(Display::Usual),
        (false, false) => None,
    }
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "a library" } else { "libraries" }
}

/// Whether somebody listens on the socket that `WAYLAND_DISPLAY` names.
#[cfg(unix)]
fn answers_wayland() -> bool {
    let Some(name) = std::env::var_os("WAYLAND_DISPLAY").filter(|name| !name.is_empty()) else {
        return false;
    };
    let folder = std::env::var_os("XDG_RUNTIME_DIR").unwrap_or_default();
    // An absolute name stands for itself.
    let socket = std::path::Path::new(&folder).join(name);
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}

#[cfg(not(unix))]
fn answers_wayland() -> bool {
    false
}

/// The Debian packages of libraries that are opened while the program runs and are not there.
#[cfg(target_os = "linux")]
fn missing_libraries(is_x11: bool) -> Vec<&'static str> {
    const ALWAYS: [(&str, &str); 1] = [("libEGL.so.1", "libegl1")];
    const X11: [(&str, &str); 5] = [
        ("libX11.so.6", "libx11-6"),
        ("libXcursor.so.1", "libxcursor1"),
        ("libXi.so.6", "libxi6"),
        ("libX11-xcb.so.1", "libx11-xcb1"),
        ("libxkbcommon-x11.so.0", "libxkbcommon-x11-0"),
    ];
    let needed = ALWAYS.iter().chain(X11.iter().filter(|_| is_x11));
    needed
        .filter(|(library, _)| !can_open(library))
        .map(|(_, package)| *package)
        .collect()
}

#[cfg(not(target_os = "linux"))]
fn missing_libraries(_is_x11: bool) -> Vec<&'static str> {
    Vec::new()
}

#[cfg(target_os = "linux")]
fn can_open(library: &str) -> bool {
    let Ok(name) = std::ffi::CString::new(library) else {
        return false;
    };
    // SAFETY: the name is a valid C string, and these libraries' initialisers are run anyway when
    // the window is opened.
    let handle = unsafe { libc::dlopen(name.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    // It stays open: the window opens it again a moment later.
    !handle.is_null()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_wayland_gives_way_to_x11() {
        assert_eq!(choose(true, true, false), Some(Display::Usual));
        assert_eq!(choose(false, true, true), Some(Display::X11));
        assert_eq!(choose(false, false, true), Some(Display::Usual));
        assert_eq!(choose(false, true, false), None);
        assert_eq!(choose(false, false, false), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_library_that_is_not_there_is_noticed() {
        assert!(can_open("libc.so.6"));
        assert!(!can_open("libnot-there.so.1"));
    }
}
