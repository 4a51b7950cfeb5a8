//! Operations as the bytes from which `arbitrary` reads them, so that conversations written by hand can be seeds.

use super::{Kind, Operation, Reply};

impl Operation {
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        match self {
            Self::Send { answer, patience } => {
                bytes.extend(variant(0, 6));
                bytes.extend(answer.to_bytes());
                bytes.push(patience);
            }
            Self::Deliver { reply, to, cut } => {
                bytes.extend(variant(1, 6));
                bytes.extend(reply.to_bytes());
                bytes.extend([to, cut]);
            }
            Self::Nameless { reply, cut } => {
                bytes.extend(variant(2, 6));
                bytes.extend(reply.to_bytes());
                bytes.push(cut);
            }
            Self::Wait { span } => {
                bytes.extend(variant(3, 6));
                bytes.push(span);
            }
            Self::EndList { of } => {
                bytes.extend(variant(4, 6));
                bytes.push(of);
            }
            Self::Close => bytes.extend(variant(5, 6)),
        }
        bytes
    }
}

impl Kind {
    fn to_bytes(self) -> [u8; 4] {
        match self {
            Self::Single => variant(0, 3),
            Self::List => variant(1, 3),
            Self::Raw => variant(2, 3),
        }
    }
}

impl Reply {
    fn to_bytes(self) -> Vec<u8> {
        let index = match self {
            Self::Success => 0,
            Self::Error => 1,
            Self::ListStart => 2,
            Self::Pong => 3,
            Self::Goodbye => 4,
            Self::Item => 5,
            Self::OnlyItem => 6,
            Self::Complete { .. } => 7,
            Self::NamedComplete => 8,
            Self::Text => 9,
        };
        let mut bytes = variant(index, 10).to_vec();
        if let Self::Complete { listed } = self {
            bytes.push(listed);
        }
        bytes
    }
}

/// `arbitrary` scales a `u32` to the number of variants; the middle of a variant's range is never its neighbour's.
fn variant(index: u32, of: u32) -> [u8; 4] {
    let middle = ((2 * u64::from(index) + 1) << 31) / u64::from(of);
    u32::try_from(middle)
        .expect("it is below 2^32")
        .to_le_bytes()
}
