//! The query protocol: parameters of a form in, XML out.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::StatusCode;

use crate::context::{RequestContext, Response, typed_response};
use crate::error::ApiError;

/// Parameters of a request; more are not looked at.
const PARAMETERS_MAX: usize = 2000;

/// The parameters of a request, from its query and its body.
#[derive(Debug)]
pub(crate) struct Form {
    values: BTreeMap<String, String>,
}

impl Form {
    pub(crate) fn of(request: &http::Request<Bytes>) -> Self {
        let query = form_urlencoded::parse(request.uri().query().unwrap_or("").as_bytes());
        let body = form_urlencoded::parse(request.body());
        let values =
            query.chain(body).take(PARAMETERS_MAX).map(|(name, value)| (name.into_owned(), value.into_owned()));
        Self { values: values.collect() }
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Whether the member, or any part of it, is given.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.values
            .keys()
            .any(|key| key.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
    }

    pub(crate) fn action(&self) -> &str {
        self.get("Action").unwrap_or("")
    }

    /// 400 `ValidationError` if it is absent.
    pub(crate) fn required(&self, name: &str) -> Result<&str, ApiError> {
        self.get(name).ok_or_else(|| {
            let member = lower_first(name);
            ApiError::bad_request(
                "ValidationError",
                format!(
                    "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
                ),
            )
        })
    }

    /// A whole number within `range`, or `default`.
    pub(crate) fn number(
        &self,
        name: &str,
        default: u32,
        range: std::ops::RangeInclusive<u32>,
    ) -> Result<u32, ApiError> {
        let Some(text) = self.get(name) else { return Ok(default) };
        text.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
            let member = lower_first(name);
            let text: String = text.chars().take(100).collect();
            ApiError::bad_request(
                "ValidationError",
                format!(
                    "1 validation error detected: Value '{text}' at '{member}' failed to satisfy constraint: Member must \
                     have value between {} and {}",
                    range.start(),
                    range.end()
                ),
            )
        })
    }

    /// `NAME.member.1`, `NAME.member.2`, ...
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        (1..=PARAMETERS_MAX).map_while(|index| self.get(&format!("{name}.member.{index}"))).collect()
    }

    /// `NAME.member.N.Key` and `.Value`.
    pub(crate) fn tags(&self, name: &str) -> BTreeMap<String, String> {
        let pair = |index: usize| {
            let key = self.get(&format!("{name}.member.{index}.Key"))?;
            let value = self.get(&format!("{name}.member.{index}.Value")).unwrap_or("");
            Some((key.to_owned(), value.to_owned()))
        };
        (1..=PARAMETERS_MAX).map_while(pair).collect()
    }
}

/// As validation messages name members.
fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(chars).collect()
}

/// XML text in the making.
#[derive(Debug, Default)]
pub(crate) struct Xml {
    text: String,
}

impl Xml {
    /// `<name>text</name>`, escaped.
    pub(crate) fn text(&mut self, name: &str, text: impl AsRef<str>) -> &mut Self {
        let legal: String = text.as_ref().chars().filter(|c| *c >= ' ' || matches!(c, '\t' | '\n' | '\r')).collect();
        self.text.extend(["<", name, ">", &quick_xml::escape::escape(&*legal), "</", name, ">"]);
        self
    }

    /// As [`Xml::text`], or nothing.
    pub(crate) fn optional(&mut self, name: &str, text: Option<impl AsRef<str>>) -> &mut Self {
        match text {
            Some(text) => self.text(name, text),
            None => self,
        }
    }

    /// `<name>...</name>` around what `inner` writes.
    pub(crate) fn element(&mut self, name: &str, inner: impl FnOnce(&mut Self)) -> &mut Self {
        self.text.extend(["<", name, ">"]);
        inner(self);
        self.text.extend(["</", name, ">"]);
        self
    }

    /// `<name><member>...</member>...</name>`.
    pub(crate) fn members<T>(
        &mut self,
        name: &str,
        items: impl IntoIterator<Item = T>,
        mut write: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        self.element(name, |xml| {
            for item in items {
                xml.element("member", |xml| write(xml, item));
            }
        })
    }
}

/// 200 with `<ActionResponse>`: the result that `inner` writes, if any, and the metadata.
pub(crate) fn answer(
    action: &str,
    namespace: &str,
    context: &RequestContext,
    inner: Option<impl FnOnce(&mut Xml)>,
) -> Response {
    let mut xml = Xml::default();
    xml.text.push_str(&format!("<{action}Response xmlns=\"{namespace}\">"));
    if let Some(inner) = inner {
        xml.element(&format!("{action}Result"), inner);
    }
    xml.element("ResponseMetadata", |xml| {
        xml.text("RequestId", context.request_id.to_string());
    });
    xml.text.push_str(&format!("</{action}Response>"));
    typed_response(StatusCode::OK, "text/xml", xml.text)
}

/// ISO 8601 in UTC, whole seconds.
pub(crate) fn iso_time(timestamp: hearth_types::Timestamp) -> String {
    let seconds = i64::try_from(timestamp.as_millis() / 1000).unwrap_or(i64::MAX);
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(query: &str, body: &str) -> Form {
        Form::of(&http::Request::post(format!("/?{query}")).body(Bytes::from(body.to_owned())).unwrap())
    }

    #[test]
    fn parameters_come_from_query_and_body() {
        let form =
            form("Action=A", "Tags.member.1.Key=k%20&Tags.member.1.Value=v&L.member.1=a&L.member.2=b&L.member.4=d");
        assert_eq!(form.action(), "A");
        assert_eq!(form.tags("Tags"), BTreeMap::from([("k ".to_owned(), "v".to_owned())]));
        assert_eq!(form.list("L"), ["a", "b"]);
        let error = form.required("RoleName").unwrap_err();
        assert!(error.message.contains("Value null at 'roleName'"), "{}", error.message);
        assert_eq!(form.number("MaxItems", 100, 1..=1000).unwrap(), 100);
    }

    #[test]
    fn numbers_out_of_range_are_refused() {
        for text in ["0", "1001", "-1", "x", ""] {
            assert_eq!(
                form("", &format!("MaxItems={text}")).number("MaxItems", 1, 1..=1000).unwrap_err().code,
                "ValidationError"
            );
        }
    }

    #[test]
    fn text_is_escaped_and_kept_legal() {
        let mut xml = Xml::default();
        xml.members("L", ["<a>\u{1}", "&"], |xml, item| {
            xml.text("T", item);
        });
        assert_eq!(xml.text, "<L><member><T>&lt;a&gt;</T></member><member><T>&amp;</T></member></L>");
    }

    #[test]
    fn times_are_whole_seconds() {
        assert_eq!(iso_time(hearth_types::Timestamp::from_millis(1_440_938_160_999)), "2015-08-30T12:36:00Z");
    }
}
