//! No text makes the parsers of function references and qualifiers panic; what they take, they write and read again alike.

#![no_main]

use hearth_frontend::invoke::request;
use hearth_types::{FunctionArn, FunctionRef, Qualifier};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(qualifier) = text.parse::<Qualifier>() {
        let again: Qualifier = qualifier.to_string().parse().expect("own output");
        assert_eq!(again, qualifier);
    }
    if let Ok(function) = text.parse::<FunctionRef>() {
        assert!((1..=64).contains(&function.name.as_str().len()));
        let arn = FunctionArn {
            region: function.region.clone().unwrap_or_else(|| "eu-west-1".parse().expect("a Region")),
            account: function.account.clone().unwrap_or_else(|| "123456789012".parse().expect("twelve digits")),
            name: function.name.clone(),
            qualifier: function.qualifier.clone(),
        };
        let again: FunctionRef = arn.to_string().parse().expect("own output");
        assert_eq!((again.name, again.qualifier), (function.name, function.qualifier));
    }
    let _name = request::function(text);
    let _qualifier = request::qualifier(Some(text));
});
