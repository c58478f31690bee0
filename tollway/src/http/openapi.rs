//! The description of the service's HTTP interface, for programs that make clients of it.

use axum::Json;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};

use super::price::Refusal;
use crate::pricing::{Priced, Question};

pub(super) async fn document() -> Json<Value> {
    Json(openapi())
}

/// The schemas are those of the structs that are read and written.
pub fn openapi() -> Value {
    let mut schemas = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into()).into_generator();
    let (question, priced, refusal) =
        (reference::<Question>(&mut schemas), reference::<Priced>(&mut schemas), reference::<Refusal>(&mut schemas));
    let body = |schema: &Schema| json!({ "application/json": { "schema": schema } });
    let answer = |says: &str, schema: &Schema| json!({ "description": says, "content": body(schema) });
    let text = |says: &str| json!({ "description": says, "content": { "text/plain": { "schema": { "type": "string" } } } });
    let responses = json!({
        "200": answer("Priced, or not: `outcome` says why there is no price.", &priced),
        "400": answer("A field cannot be read.", &refusal),
        "401": answer("The token is missing or wrong.", &refusal),
        "404": answer("No tariff in force sells the plan.", &refusal),
        "413": answer("The question is longer than 16 KiB.", &refusal),
        "415": answer("The question does not say that it is JSON.", &refusal),
        "422": answer("The question has other fields, or fields of other types.", &refusal),
        "503": answer("The service is starting.", &refusal),
    });
    let rate = json!({
        "summary": "What one call, message or data session costs by the tariffs in force, with each decision on the way",
        "operationId": "rate",
        "security": [{ "token": [] }],
        "requestBody": { "required": true, "content": body(&question) },
        "responses": responses,
    });
    let get = |summary: &str, id: &str, says: &str| json!({ "get": { "summary": summary, "operationId": id, "responses": { "200": text(says) } } });
    json!({
        "openapi": "3.1.0",
        "info": { "title": "tollway", "version": env!("CARGO_PKG_VERSION"), "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" } },
        "paths": {
            "/v1/rate": { "post": rate },
            "/healthz": get("Whether the process lives", "health", "It does."),
            "/readyz": get("Whether the work is done", "readiness", "It is; 503 says why it is not."),
            "/metrics": get("Metrics for Prometheus", "metrics", "The metrics, in the text format."),
        },
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": "The setting `http.token`; none if it is empty." } },
        },
    })
}

fn reference<T: JsonSchema>(schemas: &mut schemars::SchemaGenerator) -> Schema {
    schemas.subschema_for::<T>()
}
