//! Who logs in: the account that everything is done with, and others that lack something.

use std::collections::{BTreeMap, BTreeSet};

use ami_client::target::Standing;
use ami_proto::session::Secret;

#[derive(Debug, Clone)]
pub struct Credentials {
    pub username: String,
    pub secret: Secret,
}

impl Credentials {
    /// The headers of a Login, with the events of this mask.
    pub(crate) fn login<'a>(&'a self, events: &'a str) -> [(&'a str, &'a str); 3] {
        [
            ("Username", &self.username),
            ("Secret", self.secret.expose()),
            ("Events", events),
        ]
    }
}

/// An account that lacks something.
#[derive(Debug, Clone)]
pub struct Lesser {
    pub credentials: Credentials,
    /// Its classes, of a limited one.
    pub read: BTreeSet<String>,
    pub write: BTreeSet<String>,
}

impl Lesser {
    /// Of a PBX that names them after what they lack: the classes of the limited one are a list between commas.
    pub fn all(secret: &str, limited: &str) -> BTreeMap<Standing, Self> {
        let one = |standing: Standing| {
            let secret = match standing {
                Standing::NoSecret => "",
                _ => secret,
            };
            let classes: BTreeSet<String> = match standing {
                Standing::Limited => limited.split(',').map(str::to_owned).collect(),
                _ => BTreeSet::new(),
            };
            Self {
                credentials: Credentials {
                    username: standing.slug().to_owned(),
                    secret: Secret::new(secret),
                },
                read: classes.clone(),
                write: classes,
            }
        };
        let all = Standing::ALL.into_iter();
        all.map(|standing| (standing, one(standing))).collect()
    }
}

#[derive(Debug, Clone)]
pub struct Logins {
    pub own: Credentials,
    pub lesser: BTreeMap<Standing, Lesser>,
}

impl Logins {
    /// What is not to be written down.
    pub fn secrets(&self) -> Vec<Secret> {
        let lesser = self.lesser.values().map(|one| &one.credentials);
        let all = std::iter::once(&self.own).chain(lesser);
        all.map(|one| one.secret.clone()).collect()
    }
}
