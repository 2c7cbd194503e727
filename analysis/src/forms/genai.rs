//! Forms of what has no protocol of its own: models, agents, tools, GraphQL operations, functions.
//!
//! [Families](super) that go by names: operation and model, tool or agent. Prompts and arguments never
//! enter a form.

use super::call::{Draft, Effect, Kind, System};
use super::conventions::{Field, Fields};
use super::path::push_name;
use super::{recognise, rpc};

/// Whether attributes speak of a model, agent or tool.
pub(super) fn is_gen_ai(fields: &Fields<'_>) -> bool {
    fields.has_any(recognise::GEN_AI)
}

/// Forms the call of a generative-AI span.
pub(super) fn draft(kind: Kind, name: &str, fields: &Fields<'_>, draft: &mut Draft) {
    draft.system = System::GenAi;
    let tool = fields.text(Field::GenAiTool);
    let default = if tool.is_some() { "execute_tool" } else { "call" };
    let operation = fields
        .text(Field::GenAiOperation)
        .or_else(|| fields.text(Field::McpMethod))
        .unwrap_or(default);
    push_name(operation, &mut draft.operation);
    // `execute_tool search`: names are made like this by the conventions.
    let named = || name.strip_prefix(operation)?.strip_prefix(' ');
    let target = tool
        .or_else(|| fields.text(Field::GenAiModel))
        .or_else(|| fields.text(Field::GenAiAgent))
        .or_else(named);
    draft.target_known = target.is_some();
    // Versions in the names of models are part of them, so they stay as they are.
    draft.target.push_str(super::sql::cut_at(target.unwrap_or_default(), 256).0);
    draft.template_from_parts();
    rpc::push_callee(fields, &mut draft.callee);
    if draft.callee.is_empty() {
        draft.callee.push_str(fields.text(Field::GenAiProvider).unwrap_or_default());
    }
    let is_tool = tool.is_some() || operation == "execute_tool";
    let is_named = is_tool || kind == Kind::Unspecified && draft.target_known;
    draft.is_exit |= matches!(kind, Kind::Internal | Kind::Unspecified) && is_named;
}

/// Forms a GraphQL operation.
pub(super) fn draft_graphql(fields: &Fields<'_>, draft: &mut Draft) {
    let operation = fields.text(Field::GraphqlType).unwrap_or("query");
    push_name(operation, &mut draft.operation);
    draft.target_known = fields.has(Field::GraphqlName);
    push_name(fields.text(Field::GraphqlName).unwrap_or_default(), &mut draft.target);
    draft.effect = match operation {
        "query" => Effect::Read,
        "mutation" => Effect::Write,
        _ => Effect::Unknown,
    };
    draft.template_from_parts();
    rpc::push_callee(fields, &mut draft.callee);
}

/// Forms the invocation of a function by its name.
pub(super) fn draft_function(fields: &Fields<'_>, draft: &mut Draft) {
    draft.operation.push_str("invoke");
    push_name(fields.text(Field::FaasInvokedName).unwrap_or_default(), &mut draft.target);
    draft.template_from_parts();
    rpc::push_callee(fields, &mut draft.callee);
}
