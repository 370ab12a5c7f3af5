//! Versions and aliases beside a naive model of them.

use std::collections::BTreeMap;

use hearth_aws_api::shapes::lambda::{
    CreateAliasRequest, DeleteAliasRequest, ListVersionsByFunctionRequest, UpdateAliasRequest,
};
use proptest::prelude::*;

use crate::world::{World, root};

#[derive(Clone, Debug)]
enum Step {
    Create,
    Touch(u8),
    Publish,
    DeleteVersion(u64),
    PutAlias(u8, u64),
    DeleteAlias(u8),
    Delete,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => Just(Step::Create),
        4 => (0u8..3).prop_map(Step::Touch),
        6 => Just(Step::Publish),
        2 => (1u64..6).prop_map(Step::DeleteVersion),
        3 => (0u8..2, 1u64..6).prop_map(|(alias, version)| Step::PutAlias(alias, version)),
        1 => (0u8..2).prop_map(Step::DeleteAlias),
        1 => Just(Step::Delete),
        1 => Just(Step::Restart),
    ]
}

/// What one function should be.
#[derive(Default)]
struct Model {
    /// The mark that Touch set; `None` without a function.
    latest: Option<Option<u8>>,
    versions: BTreeMap<u64, Option<u8>>,
    aliases: BTreeMap<u8, u64>,
    last_number: u64,
    last_published: Option<u64>,
}

impl Model {
    fn publish(&mut self) -> Option<u64> {
        let latest = self.latest?;
        if let Some(number) = self.last_published.filter(|number| self.versions.get(number) == Some(&latest)) {
            return Some(number);
        }
        self.last_number += 1;
        self.versions.insert(self.last_number, latest);
        self.last_published = Some(self.last_number);
        self.last_published
    }

    fn delete(&mut self) -> bool {
        let existed = self.latest.is_some();
        *self = Self { last_number: self.last_number, ..Self::default() };
        existed
    }

    fn delete_version(&mut self, number: u64) -> bool {
        let used = self.aliases.values().any(|version| *version == number);
        if self.latest.is_none() || (used && self.versions.contains_key(&number)) {
            return false;
        }
        self.versions.remove(&number);
        true
    }
}

async fn check(world: &mut World, model: &mut Model, step: Step) {
    let alias_name = |alias: u8| format!("alias-{alias}");
    match step {
        Step::Create if model.latest.is_none() => {
            world.create("f").await;
            model.latest = Some(None);
        }
        Step::Create => {
            assert!(world.functions().create_function(world.scope(), crate::world::create("f")).await.is_err());
        }
        Step::Touch(mark) if model.latest.is_some() => {
            world.touch("f", &mark.to_string()).await;
            model.latest = Some(Some(mark));
        }
        Step::Touch(_) => {}
        Step::Publish => {
            let version = world.publish("f").await.ok().and_then(|view| view.version?.parse().ok());
            assert_eq!(version, model.publish());
        }
        Step::DeleteVersion(number) => {
            let deleted = world.delete("f", Some(&number.to_string())).await.is_ok();
            assert_eq!(deleted, model.delete_version(number));
        }
        Step::PutAlias(alias, version) => {
            let put = put_alias(world, &alias_name(alias), version, model.aliases.contains_key(&alias)).await;
            let possible = model.versions.contains_key(&version);
            assert_eq!(put, possible);
            if possible {
                model.aliases.insert(alias, version);
            }
        }
        Step::DeleteAlias(alias) => {
            let request = DeleteAliasRequest { function_name: "f".into(), name: alias_name(alias) };
            assert_eq!(world.functions().delete_alias(world.scope(), request).await.is_ok(), model.latest.is_some());
            model.aliases.remove(&alias);
        }
        Step::Delete => {
            let deleted = world.delete("f", None).await.is_ok();
            assert_eq!(deleted, model.delete());
        }
        Step::Restart => world.reopen().await,
    }
}

async fn put_alias(world: &World, name: &str, version: u64, exists: bool) -> bool {
    let (function_name, name) = ("f".to_owned(), name.to_owned());
    if exists {
        let function_version = Some(version.to_string());
        let request = UpdateAliasRequest { function_name, name, function_version, ..Default::default() };
        world.functions().update_alias(world.scope(), request).await.is_ok()
    } else {
        let function_version = version.to_string();
        let request = CreateAliasRequest { function_name, name, function_version, ..Default::default() };
        world.functions().create_alias(world.scope(), request).await.is_ok()
    }
}

fn compare(world: &World, model: &Model) {
    let list = ListVersionsByFunctionRequest { function_name: "f".into(), ..Default::default() };
    let listed = world.functions().list_versions_by_function(world.scope(), &list);
    let Some(latest) = model.latest else {
        assert!(listed.is_err());
        return;
    };
    let handler = |mark: Option<u8>| mark.map_or("index.handler".to_owned(), |mark| format!("index.{mark}"));
    let mut expected = vec![("$LATEST".to_owned(), handler(latest))];
    expected.extend(model.versions.iter().map(|(number, mark)| (number.to_string(), handler(*mark))));
    let listed: Vec<_> = listed
        .unwrap()
        .versions
        .unwrap()
        .into_iter()
        .map(|view| (view.version.unwrap(), view.handler.unwrap()))
        .collect();
    assert_eq!(listed, expected);
    for (alias, version) in &model.aliases {
        let reference = format!("f:alias-{alias}").parse().unwrap();
        let resolved = world.functions().resolve((&world.home, &root(&world.home)), &reference, None, 0.5).unwrap();
        assert_eq!(resolved.executed_version, hearth_types::VersionLabel::Number(*version));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn versions_and_aliases_are_as_the_model_says(steps in prop::collection::vec(step(), 1..25)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut world = World::new().await;
            let mut model = Model::default();
            for step in steps {
                check(&mut world, &mut model, step).await;
                compare(&world, &model);
            }
        });
    }
}
