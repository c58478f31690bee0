//! `POST /v1/rate`: what one call costs by the tariffs in force, as `tollway rate` says it.

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{HeaderMap, StatusCode};
use rate::error::ExplainError;
use schemars::JsonSchema;
use serde::Serialize;

use super::Door;
use crate::pricing::{self, Priced, Question, QuestionError};

/// Why there is no answer.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Refusal {
    /// The field of the question, if it is one.
    pub field: Option<&'static str>,
    /// What is wrong and what to do.
    pub error: String,
}

type Refused = (StatusCode, Json<Refusal>);

/// Prices one question. A call without a price is an answer, too: its outcome says why.
pub(super) async fn price(
    State(door): State<Door>,
    headers: HeaderMap,
    question: Result<Json<Question>, JsonRejection>,
) -> Result<Json<Priced>, Refused> {
    if !door.admits(&headers) {
        return Err(refusal(
            StatusCode::UNAUTHORIZED,
            None,
            "send the service's token as `Authorization: Bearer TOKEN`".to_owned(),
        ));
    }
    let Json(question) = question.map_err(|e| refusal(e.status(), None, e.body_text()))?;
    let starting = || refusal(StatusCode::SERVICE_UNAVAILABLE, None, "the service is starting; ask again".to_owned());
    let tariffs = door.tariffs.get().ok_or_else(starting)?();
    match pricing::answer(&question, &tariffs) {
        Ok((_, priced)) => Ok(Json(priced)),
        Err(QuestionError::Part { field, what }) => Err(refusal(StatusCode::BAD_REQUEST, Some(field), what)),
        Err(QuestionError::Plan(what)) => Err(refusal(StatusCode::NOT_FOUND, Some("plan"), what)),
        Err(QuestionError::Explain(ExplainError::BadField { field, value, expected })) => {
            Err(refusal(StatusCode::BAD_REQUEST, Some(field), format!("`{value}`: {expected}")))
        }
        Err(QuestionError::Explain(error)) => Err(refusal(StatusCode::BAD_REQUEST, None, error.to_string())),
    }
}

fn refusal(status: StatusCode, field: Option<&'static str>, error: String) -> Refused {
    (status, Json(Refusal { field, error }))
}
