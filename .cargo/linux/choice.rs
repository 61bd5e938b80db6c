//! Which MLX library a Linux build uses, and where it lies.
//!
//! Shared by mlx-sys's build script (`build.rs` beside this file), which puts the library there, and this
//! crate's own (`build.rs` at the top), which tells the program where to find it.

use std::path::{Path, PathBuf};

/// The versions to install, by key.
const VERSIONS: &str = include_str!("versions.toml");

/// A set of wheels that can be installed, and the folder they are installed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wheels {
    /// Name of the folder in [`home`].
    pub folder: &'static str,
    /// Name of the wheel in the package index.
    pub package: &'static str,
    /// Key of its version in `versions.toml`.
    pub version_key: &'static str,
    /// Whether the wheels it depends on are needed too.
    pub with_dependencies: bool,
    /// A file that must be there after the installation.
    pub proof: &'static str,
    /// Room that download and installation take together, for the message when the disk is full.
    pub room: &'static str,
}

/// MLX for the CPU.
const MLX_CPU: Wheels = Wheels {
    folder: "cpu",
    package: "mlx-cpu",
    version_key: "mlx",
    with_dependencies: false,
    proof: "mlx/lib/libmlx.so",
    room: "60 MB",
};

/// MLX for NVIDIA's GPUs; the CUDA libraries are wheels it depends on.
const MLX_CUDA_12: Wheels = Wheels {
    folder: "cuda12",
    package: "mlx-cuda-12",
    with_dependencies: true,
    room: "5 GB",
    ..MLX_CPU
};

/// The same for the next major version of CUDA.
const MLX_CUDA_13: Wheels = Wheels {
    folder: "cuda13",
    package: "mlx-cuda-13",
    ..MLX_CUDA_12
};

/// The C parser with which bindgen reads mlx-c's headers.
pub const LIBCLANG: Wheels = Wheels {
    folder: "libclang",
    package: "libclang",
    version_key: "libclang",
    with_dependencies: false,
    proof: "clang/native/libclang.so",
    room: "120 MB",
};

impl Wheels {
    /// The version to install, from `versions.toml`.
    pub fn version(&self) -> &'static str {
        VERSIONS
            .lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| key.trim() == self.version_key)
            .map_or("", |(_, version)| version.trim().trim_matches('"'))
    }

    /// The end of a sentence that says these wheels cannot be had: how to do without them.
    pub fn instead(&self) -> String {
        if *self == LIBCLANG {
            "or set LIBCLANG_PATH to a folder that holds libclang.so".to_owned()
        } else {
            format!(
                "or set VITRINE_MLX_DIR to a folder that holds MLX {}",
                self.version()
            )
        }
    }
}

/// MLX's library: its headers, its shared object, and the wheels that bring them unless the user has them already.
#[derive(Debug, PartialEq, Eq)]
pub struct Mlx {
    /// Folder with `mlx/mlx.h` in it.
    pub include: PathBuf,
    /// Folder with `libmlx.so` in it.
    pub lib: PathBuf,
    /// What to install, or `None` where `VITRINE_MLX_DIR` names a library that is there.
    pub wheels: Option<Wheels>,
}

impl Mlx {
    /// The library that the environment asks for: `VITRINE_MLX_DIR` if set, else the wheels that `VITRINE_MLX` names.
    ///
    /// `env` looks a variable up; `home` is the folder that wheels are installed in (see [`home`]).
    ///
    /// # Errors
    /// A sentence for the user if a variable is set to something that cannot be used.
    pub fn choose(env: impl Fn(&str) -> Option<String>, home: &Path) -> Result<Self, String> {
        let set = |name: &str| env(name).filter(|value| !value.is_empty());
        if let Some(folder) = set("VITRINE_MLX_DIR") {
            return Self::in_folder(Path::new(&folder));
        }
        let wheels = match set("VITRINE_MLX").as_deref() {
            None | Some("cpu") => MLX_CPU,
            // As in MLX's own `pip install mlx[cuda]`.
            Some("cuda" | "cuda12") => MLX_CUDA_12,
            Some("cuda13") => MLX_CUDA_13,
            Some(other) => {
                return Err(format!(
                    "VITRINE_MLX is `{other}`, which names no build of MLX: set it to `cpu`, `cuda`, `cuda12` or `cuda13`, or unset it."
                ));
            }
        };
        let folder = home.join(wheels.folder);
        Ok(Self {
            include: folder.join("mlx/include"),
            lib: folder.join("mlx/lib"),
            wheels: Some(wheels),
        })
    }

    /// A library that is there already: an installation's prefix, an unpacked wheel, or a `site-packages` folder.
    fn in_folder(folder: &Path) -> Result<Self, String> {
        if folder.is_relative() {
            return Err(format!(
                "VITRINE_MLX_DIR is `{}`: give the folder's full path, as build scripts run in other folders.",
                folder.display()
            ));
        }
        let roots = [folder.to_path_buf(), folder.join("mlx")];
        let has = |dir: &PathBuf, file: &str| dir.join(file).is_file();
        for root in roots {
            let include = root.join("include");
            let lib = ["lib", "lib64"]
                .map(|name| root.join(name))
                .into_iter()
                .find(|lib| has(lib, "libmlx.so"));
            if let (true, Some(lib)) = (has(&include, "mlx/mlx.h"), lib) {
                return Ok(Self {
                    include,
                    lib,
                    wheels: None,
                });
            }
        }
        Err(format!(
            "VITRINE_MLX_DIR is `{}`, but there is no MLX in it: it must hold `include/mlx/mlx.h` and `lib/libmlx.so`, in itself or in a folder `mlx`.",
            folder.display()
        ))
    }
}

/// The folder that wheels are installed in: `mlx-linux` in cargo's target folder, wherever that is.
///
/// `out_dir` is a build script's `OUT_DIR`, `<target>[/<triple>]/<profile>/build/<package>/out`; `triple` its `TARGET`.
///
/// # Errors
/// A sentence if `out_dir` has another form.
pub fn home(out_dir: &Path, triple: &str) -> Result<PathBuf, String> {
    let profile = out_dir
        .ancestors()
        .find(|folder| folder.ends_with("build"))
        .and_then(Path::parent);
    let parent = profile.and_then(Path::parent);
    // With `--target`, the profile's folder lies one deeper.
    let target = match parent {
        Some(folder) if folder.ends_with(triple) => folder.parent(),
        other => other,
    };
    target.map(|folder| folder.join("mlx-linux")).ok_or_else(|| {
        format!(
            "Cargo's build folder `{}` has a form that .cargo/linux does not know: set VITRINE_MLX_DIR to a folder that holds MLX.",
            out_dir.display()
        )
    })
}
