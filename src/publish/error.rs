// SPDX-License-Identifier: MPL-2.0

//! Errors of starting a publisher.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::protocol::schemes;

/// A publisher cannot be started.
#[derive(Debug, Error)]
pub enum StartError {
    /// The location is wrong.
    #[error(transparent)]
    Location(#[from] LocationError),
    /// The topic is wrong.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The spool cannot be used.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The system allows no further threads or files.
    #[error("cannot start the publishing thread")]
    Thread(#[source] io::Error),
}

/// A location cannot be used. No message contains a password.
#[derive(Debug, Error)]
pub enum LocationError {
    /// The text is not a URI.
    #[error("the location is not a URI ({0}); expected for example mqtt://broker.example:1883")]
    NotAUri(url::ParseError),
    /// No protocol has this scheme.
    #[error("unknown protocol '{0}'; the protocols are {list}", list = schemes().join(", "))]
    Scheme(String),
    /// The protocol is optional, and not part of this build.
    #[error("this build does not support Kafka; build it with the feature kafka")]
    WithoutKafka,
    /// The URI contains no host.
    #[error("{0} contains no host; expected for example mqtt://broker.example:1883")]
    NoHost(String),
    /// The protocol has no such option.
    #[error("{scheme} has no option '{option}'; the options are {known}")]
    Option {
        /// Scheme of the URI.
        scheme: String,
        /// Name of the option.
        option: String,
        /// Names of the options of the protocol.
        known: String,
    },
    /// The value of an option is wrong.
    #[error("the option {option} is '{value}'; expected {expected}")]
    Value {
        /// Name of the option.
        option: &'static str,
        /// Value of the option.
        value: String,
        /// Description of the correct values.
        expected: &'static str,
    },
    /// A secret is specified twice.
    #[error("the options {name}-file and {name}-env exclude each other")]
    TwoSecrets {
        /// Name of the secret.
        name: &'static str,
    },
    /// A file of the location cannot be read.
    #[error("cannot read {path}, the {option} of the location: {error}")]
    Read {
        /// Name of the option.
        option: String,
        /// Path of the file.
        path: PathBuf,
        /// Reason.
        error: io::Error,
    },
    /// An environment variable is not set.
    #[error("the environment variable {variable}, the {option} of the location, is not set")]
    Variable {
        /// Name of the option.
        option: String,
        /// Name of the variable.
        variable: String,
    },
    /// The URI has a password but no user.
    #[error("the location has a password, but no user; expected for example mqtts://USER@HOST")]
    NoUser,
    /// The certificates or the key cannot be used.
    #[error("TLS cannot be configured: {0}")]
    Tls(String),
    /// The options of the protocol do not fit together.
    #[error("{0}")]
    Unusable(String),
}

/// A topic cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TopicError {
    /// The topic has an unknown placeholder.
    #[error(
        "the topic has an unknown placeholder {{{0}}}; the placeholders are {{stream}}, {{source}} and {{track}}"
    )]
    Placeholder(String),
    /// A brace is not closed.
    #[error("the topic '{0}' has a brace that is not closed")]
    Brace(String),
    /// A placeholder has no value.
    #[error("the topic contains {{source}}, but no source is set")]
    NoSource,
    /// The protocol does not allow a character.
    #[error("the topic '{topic}' contains {character:?}, which {protocol} does not allow there")]
    Character {
        /// The topic.
        topic: String,
        /// The character.
        character: char,
        /// Name of the protocol.
        protocol: &'static str,
    },
    /// The topic is empty.
    #[error("the topic is empty")]
    Empty,
}

/// A spool cannot be used.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file cannot be opened.
    #[error("cannot open the spool {path}: {error}")]
    Open {
        /// Path of the spool.
        path: PathBuf,
        /// Reason.
        error: io::Error,
    },
    /// Another publisher has the file open.
    #[error("the spool {0} is in use by another publisher; every publisher needs its own")]
    InUse(PathBuf),
    /// The file is damaged, or not a spool.
    #[error(
        "the spool {path} is damaged or not a spool: {reason}; move it away to start an empty one"
    )]
    Damaged {
        /// Path of the spool.
        path: PathBuf,
        /// Reason.
        reason: String,
    },
}
