//! The clients of each provider, from the settings and from the variables that the provider's own tools read.

use std::sync::Arc;

use config::sections::{Bucket, KeyPair, Provider, Storage};
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3ConditionalPut, S3CopyIfNotExists};
use object_store::azure::MicrosoftAzureBuilder;
use object_store::gcp::GoogleCloudStorageBuilder;
use object_store::multipart::MultipartStore;
use object_store::{ClientOptions, ObjectStore, RetryConfig};

/// One client, as the library's two sets of requests.
pub(super) struct Clients {
    /// Whole objects.
    pub store: Arc<dyn ObjectStore>,
    /// Objects in parts.
    pub parts: Arc<dyn MultipartStore>,
}

impl Clients {
    fn new(client: impl ObjectStore + MultipartStore) -> Self {
        let client = Arc::new(client);
        Self { store: Arc::clone(&client) as Arc<dyn ObjectStore>, parts: client }
    }
}

/// A client of the bucket, or what is wrong with the settings.
pub(super) fn connect(bucket: &Bucket, storage: &Storage) -> Result<Clients, String> {
    match bucket.provider {
        Provider::S3 => amazon(bucket, storage),
        Provider::Azure => azure(bucket, storage),
        Provider::Gcs => google(bucket, storage),
    }
}

/// Variables by which a process on Amazon's machines finds keys that nobody wrote down.
const AMAZON_KEYS: [&str; 4] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
];

/// What to set if there is no key in the settings and none in the environment: the client then asks the machine for its role,
/// and what it says of that does not name the key.
pub(super) fn missing_key(bucket: &Bucket, storage: &Storage) -> Option<&'static str> {
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let (known, hint): (&[&str], _) = match bucket.provider {
        Provider::S3 => (
            &AMAZON_KEYS,
            "there is no key: set `storage.access_key_id` and `storage.secret_access_key`, or AWS_ACCESS_KEY_ID and \
             AWS_SECRET_ACCESS_KEY; without one the machine's own role is asked",
        ),
        Provider::Azure => (
            &["AZURE_STORAGE_ACCOUNT_KEY", "AZURE_STORAGE_SAS_TOKEN", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"],
            "there is no key: set `storage.access_key_id` (the account) and `storage.secret_access_key`, or \
             AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY; without one the machine's own identity is asked",
        ),
        Provider::Gcs => (
            &[
                "GOOGLE_SERVICE_ACCOUNT",
                "GOOGLE_SERVICE_ACCOUNT_PATH",
                "GOOGLE_SERVICE_ACCOUNT_KEY",
                "GOOGLE_APPLICATION_CREDENTIALS",
            ],
            "there is no key: name the file of a service account in GOOGLE_SERVICE_ACCOUNT; without one the machine's own account \
             is asked",
        ),
    };
    (storage.key_pair.is_none() && !known.iter().any(is_set)).then_some(hint)
}

/// The library repeats nothing: see docs/adr/0013.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

fn options(storage: &Storage, endpoint: Option<&str>) -> ClientOptions {
    ClientOptions::new()
        .with_connect_timeout(storage.connect_timeout)
        .with_timeout(storage.request_timeout)
        .with_allow_http(endpoint.is_some_and(|e| e.starts_with("http://")))
}

fn amazon(bucket: &Bucket, storage: &Storage) -> Result<Clients, String> {
    let environment = AmazonS3Builder::from_env();
    let half = [AmazonS3ConfigKey::AccessKeyId, AmazonS3ConfigKey::SecretAccessKey].map(|key| environment.get_config_value(&key));
    if let (None, [Some(_), None] | [None, Some(_)]) = (&storage.key_pair, half) {
        return Err("of AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY only one is set; set both or neither".to_owned());
    }
    let mut builder = match &storage.key_pair {
        None => environment,
        // A token in the environment belongs to the key in the environment, and not to this one.
        Some(KeyPair { id, secret }) => {
            let kept = [AmazonS3ConfigKey::Region, AmazonS3ConfigKey::DefaultRegion, AmazonS3ConfigKey::Endpoint];
            let mut builder = AmazonS3Builder::new().with_access_key_id(id).with_secret_access_key(secret.reveal());
            for key in kept {
                if let Some(value) = environment.get_config_value(&key) {
                    builder = builder.with_config(key, value);
                }
            }
            builder
        }
    };
    if let Some(endpoint) = &storage.endpoint {
        builder = builder.with_endpoint(endpoint);
    }
    if let Some(region) = &storage.region {
        builder = builder.with_region(region);
    }
    let endpoint = builder.get_config_value(&AmazonS3ConfigKey::Endpoint);
    let client = builder
        .with_bucket_name(&bucket.name)
        .with_conditional_put(S3ConditionalPut::ETagMatch)
        .with_copy_if_not_exists(S3CopyIfNotExists::Multipart)
        .with_retry(no_retries())
        .with_client_options(options(storage, endpoint.as_deref()))
        .build();
    client.map(Clients::new).map_err(|e| format!("the client cannot be made: {e}"))
}

fn azure(bucket: &Bucket, storage: &Storage) -> Result<Clients, String> {
    let mut builder = MicrosoftAzureBuilder::from_env();
    if let Some(KeyPair { id, secret }) = &storage.key_pair {
        builder = builder.with_account(id).with_access_key(secret.reveal());
    }
    if let Some(endpoint) = &storage.endpoint {
        builder = builder.with_endpoint(endpoint.clone());
    }
    let client = builder
        .with_container_name(&bucket.name)
        .with_retry(no_retries())
        .with_client_options(options(storage, storage.endpoint.as_deref()))
        .build();
    client.map(Clients::new).map_err(|e| format!("the client cannot be made: {e}"))
}

fn google(bucket: &Bucket, storage: &Storage) -> Result<Clients, String> {
    if storage.key_pair.is_some() {
        return Err("gs:// takes a service account and no key: name its file in GOOGLE_SERVICE_ACCOUNT".to_owned());
    }
    let mut builder = GoogleCloudStorageBuilder::from_env();
    if let Some(endpoint) = &storage.endpoint {
        builder = builder.with_base_url(endpoint);
    }
    let client = builder
        .with_bucket_name(&bucket.name)
        .with_retry(no_retries())
        .with_client_options(options(storage, storage.endpoint.as_deref()))
        .build();
    client.map(Clients::new).map_err(|e| format!("the client cannot be made: {e}"))
}
