// SPDX-License-Identifier: MPL-2.0

//! Who may open the page, and who may send video by WHIP.

use super::arguments::{Arguments, parse_token};
use crate::parsing::ValueError;
use crate::secrets::{self, SecretError};
use crate::web_server::access::{Access, RandomError};

/// Environment variable with the token for WHIP clients.
const WHIP_TOKEN: &str = "GST_ATTITUDE_WHIP_TOKEN";

/// The rules for who may connect cannot be made.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccessError {
    #[error(transparent)]
    Random(#[from] RandomError),
    #[error(transparent)]
    Secret(#[from] SecretError),
    #[error("the token for WHIP clients cannot be used: {0}")]
    WhipToken(ValueError),
}

/// Returns the rules of the page.
///
/// # Errors
/// Returns an error if a token is needed, and the system has no random numbers.
pub(crate) fn access_of_page(arguments: &Arguments) -> Result<Access, RandomError> {
    let is_encrypted = arguments.tls_certificate.is_some();
    Access::new(arguments.listen, arguments.token.as_deref(), is_encrypted)
}

/// Returns the rules of WHIP clients: those of the `page`, unless these clients have a token of their
/// own.
///
/// # Errors
/// Returns an error if their token cannot be read or used.
pub(crate) fn access_of_whip(page: &Access, arguments: &Arguments) -> Result<Access, AccessError> {
    let token = match arguments.whip {
        true => secrets::read(arguments.whip_token_file.as_deref(), WHIP_TOKEN)?,
        false => None,
    };
    let token = token.map(|token| parse_token(&token)).transpose();
    let token = token.map_err(AccessError::WhipToken)?;
    let advice = match token {
        Some(_) => "set the client's bearer token to the one for WHIP clients",
        None => "set the client's bearer token to the server's token",
    };
    Ok(page.with_token(token, advice))
}
