//! [`BUDGETS`]: what each way through the library may cost.
//!
//! Lower a number when the code has become cheaper; raise one only together with the reason, in the
//! commit that makes the code dearer.

use crate::Path;

/// What one way may cost each time.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// The way.
    pub path: Path,
    /// How many times memory may be allocated or grown.
    pub allocations: u32,
    /// How many instructions may be executed, as valgrind counts them: without the processor's own
    /// SHA-256, which makes the two hashes of a ticket 7,000 instructions.
    pub instructions: u64,
}

impl Budget {
    /// By how much the instructions may differ: compilers and C libraries do.
    pub const TOLERANCE: f64 = 1.05;

    const fn new(path: Path, allocations: u32, instructions: u64) -> Self {
        Self { path, allocations, instructions }
    }
}

/// The budgets, requests first.
pub const BUDGETS: [Budget; 20] = [
    Budget::new(Path::IgnoredByStranger, 2, 1_300),
    Budget::new(Path::Ignored, 2, 1_710),
    Budget::new(Path::Read, 4, 16_150),
    Budget::new(Path::Write, 20, 31_200),
    Budget::new(Path::SignIn, 23, 46_800),
    Budget::new(Path::CreateAndEnd, 31, 41_900),
    Budget::new(Path::ReadRedis, 11, 31_890),
    Budget::new(Path::WriteRedis, 33, 65_000),
    Budget::new(Path::ReadNearCache, 2, 13_310),
    Budget::new(Path::WriteNearCache, 31, 58_900),
    Budget::new(Path::AxumBare, 16, 7_660),
    Budget::new(Path::AxumPlain, 23, 11_500),
    Budget::new(Path::TokenParse, 0, 771),
    Budget::new(Path::TokenGenerate, 0, 73),
    Budget::new(Path::TokenHash, 0, 7_003),
    Budget::new(Path::CookieAmongMany, 2, 2_200),
    Budget::new(Path::RecordDecode, 0, 1_996),
    Budget::new(Path::RecordEncode, 3, 3_170),
    Budget::new(Path::FieldNumber, 0, 390),
    Budget::new(Path::FieldText, 1, 1_420),
];
