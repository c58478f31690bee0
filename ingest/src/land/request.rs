//! What a caller says about something that it lands.

use std::sync::Arc;

use domain::delivery::{Account, ArrivalNumber, DeliveryIdentity, DeliveryMode};
use domain::ids::TenantId;

use super::arrival::{DeliveryRecord, DeliveryState, FullImport, ImportKind};
use super::error::LandError;
use crate::profile::Profile;
use crate::split::RANGE_BYTES_MAX;

/// Longest name of a file, bytes.
const NAME_BYTES_MAX: usize = 4096;

/// Longest name of a provider's cycle, bytes.
const CYCLE_BYTES_MAX: usize = 64;

/// What happens to a file that looks like one that has arrived but is not the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// It waits for a word.
    Hold,
    /// This is the word: it acts, beside what is there.
    AsNew,
    /// This is the word: it acts, and takes the place of the delivery with this arrival number.
    Replaces(ArrivalNumber),
}

/// What is known about a file that is to be landed.
#[derive(Debug, Clone)]
pub struct LandRequest {
    /// Who sent it.
    pub account: Account,
    /// The provider's billing cycle, if known.
    pub cycle: Option<String>,
    /// The name as given, for people.
    pub origin: String,
    /// The name under which the source would send a newer version of the same file: for most sources its file name.
    pub logical_file: String,
    /// The profile's label, `kpn-sp16@1`.
    pub profile: Arc<str>,
    /// The profile's text: it is landed, so that the file is read the same way for ever.
    pub profile_text: Arc<str>,
    /// What the profile promises about files of the same name.
    pub mode: DeliveryMode,
    /// How many rows split puts into one claim check, at least 1.
    pub cut_rows: u64,
    /// What happens if it looks like another.
    pub repeat: Repeat,
}

impl LandRequest {
    /// A file of `account` in the layout of `profile`, of no cycle, that waits for a word if it looks like another.
    pub fn new(profile: &Profile, account: Account, origin: &str, logical_file: &str, cut_rows: u64) -> Self {
        Self {
            account,
            cycle: None,
            origin: origin.to_owned(),
            logical_file: logical_file.to_owned(),
            profile: Arc::clone(profile.label()),
            profile_text: profile.text().into(),
            mode: profile.delivery_mode(),
            cut_rows,
            repeat: Repeat::Hold,
        }
    }

    pub(super) fn check(&self) -> Result<(), LandError> {
        check_name(&self.origin, "origin", &self.origin, NAME_BYTES_MAX)?;
        check_name(&self.origin, "logical file", &self.logical_file, NAME_BYTES_MAX)?;
        check_name(&self.origin, "profile", &self.profile, NAME_BYTES_MAX)?;
        if let Some(cycle) = &self.cycle {
            check_name(&self.origin, "cycle", cycle, CYCLE_BYTES_MAX)?;
        }
        if self.cut_rows == 0 {
            return Err(LandError::Request {
                file: self.origin.clone(),
                what: "the cut is 0 rows, at least 1 is needed".to_owned(),
            });
        }
        Ok(())
    }

    pub(super) fn identity(&self, sha256: &str) -> DeliveryIdentity {
        DeliveryIdentity {
            account: self.account.clone(),
            cycle: self.cycle.clone(),
            logical_file: self.logical_file.clone(),
            sha256: sha256.to_owned(),
            generation: 0,
        }
    }

    /// What is kept of the file.
    pub(super) fn record(
        &self,
        identity: &DeliveryIdentity,
        size: u64,
        profile_sha256: &str,
        state: DeliveryState,
    ) -> DeliveryRecord {
        DeliveryRecord {
            delivery: identity.id(),
            identity: identity.clone(),
            origin: self.origin.clone(),
            unwrapped_from: None,
            size,
            profile: self.profile.to_string(),
            profile_sha256: profile_sha256.to_owned(),
            cut_rows: self.cut_rows,
            cut_bytes: RANGE_BYTES_MAX,
            replaces: None,
            state,
            live: None,
        }
    }
}

/// What is known about reference data that is to be landed.
#[derive(Debug, Clone)]
pub struct ImportRequest {
    /// Whose data it is.
    pub tenant: TenantId,
    /// What it describes.
    pub what: ImportKind,
    /// The name as given, for people.
    pub origin: String,
    /// How it is meant if it is a full list; `None`: a delta.
    pub full: Option<FullImport>,
}

impl ImportRequest {
    pub(super) fn check(&self) -> Result<(), LandError> {
        check_name(&self.origin, "origin", &self.origin, NAME_BYTES_MAX)?;
        if let Some(approval) = self.full.as_ref().and_then(|full| full.approval.as_ref()) {
            check_name(&self.origin, "approver", &approval.by, NAME_BYTES_MAX)?;
            check_name(&self.origin, "reason of approval", &approval.reason, NAME_BYTES_MAX)?;
        }
        Ok(())
    }
}

pub(super) fn check_name(file: &str, field: &str, text: &str, bytes_max: usize) -> Result<(), LandError> {
    let fault = if text.is_empty() {
        "is empty".to_owned()
    } else if text.len() > bytes_max {
        format!("is longer than {bytes_max} bytes")
    } else if text.chars().any(char::is_control) {
        "has control characters".to_owned()
    } else {
        return Ok(());
    };
    let file = file.chars().filter(|c| !c.is_control()).take(200).collect();
    Err(LandError::Request { file, what: format!("its {field} {fault}") })
}
