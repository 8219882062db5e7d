use super::*;

fn names(types: &[ResourceType]) -> Vec<String> {
    types.iter().map(|of| format!("{}:{}", of.service().prefix(), of.name())).collect()
}

#[test]
fn the_catalogue_is_whole() {
    assert!(CATALOGUE.is_ascii());
    assert_eq!(services().count(), 457);
    assert_eq!(services().flat_map(Service::actions).count(), 22_321);
    assert_eq!(services().flat_map(Service::resource_types).count(), 2_348);
    assert_eq!(services().flat_map(Service::condition_keys).count(), 2_600);
}

#[test]
fn everything_is_found_by_its_own_name_in_any_case() {
    for service in services() {
        assert_eq!(super::service(&service.prefix().to_ascii_uppercase()), Some(service));
        for action in service.actions() {
            assert_eq!(service.action(&action.name().to_ascii_uppercase()), Some(action));
        }
        for key in service.condition_keys() {
            assert_eq!(service.condition_key(&key.name().to_ascii_uppercase()), Some(key));
        }
        for resource in service.resource_types() {
            assert_eq!(service.resource_type(&resource.name().to_ascii_uppercase()), Some(resource));
        }
    }
}

#[test]
fn every_reference_of_an_action_leads_somewhere() {
    let (mut found, mut written) = (0, 0);
    for action in services().flat_map(Service::actions) {
        found += action.resources().count();
        let of_resources = action.resources().flat_map(ActionResource::condition_keys);
        for key in action.condition_keys().chain(of_resources) {
            assert!(action.service().condition_key(key).is_some(), "{action} {key}");
        }
    }
    for line in lines().filter(|line| line.starts_with("a ")) {
        written += records::field(line, 2).split(',').filter(|text| !text.is_empty()).count();
    }
    assert_eq!(found, written);
}

#[test]
fn the_data_has_no_access_level_and_no_type_but_those_that_are_known() {
    for line in lines() {
        let word = records::field(line, 1).trim_start_matches("ArrayOf");
        match line.get(..2) {
            Some("a ") => assert!(["L", "P", "R", "T", "W"].contains(&word), "{line}"),
            Some("k ") => {
                let types = ["ARN", "Bool", "Date", "IPAddress", "Numeric", "String"];
                assert!(types.contains(&word), "{line}");
            }
            _ => {}
        }
    }
}

/// The lines of all services.
fn lines() -> impl Iterator<Item = &'static str> {
    let blocks = records::all(CATALOGUE, '#').filter(|block| !records::name_of(block).is_empty());
    blocks.flat_map(|block| records::all(block, '\n'))
}

#[test]
fn an_action_has_the_level_and_the_resources_that_aws_documents() {
    for (name, level, resources) in [
        ("s3:GetObject", AccessLevel::Read, "accesspointobject object"),
        ("s3:ListAllMyBuckets", AccessLevel::List, ""),
        ("s3:PutBucketPolicy", AccessLevel::PermissionsManagement, "bucket*"),
        ("s3:PutObjectTagging", AccessLevel::Tagging, "accesspointobject object"),
        ("dynamodb:PutItem", AccessLevel::Write, "table*"),
        ("dynamodb:Query", AccessLevel::Read, "table* index"),
        ("iam:PassRole", AccessLevel::Write, "role*"),
        ("sqs:SendMessage", AccessLevel::Write, "queue*"),
        ("sts:GetCallerIdentity", AccessLevel::Read, ""),
        ("kms:Decrypt", AccessLevel::Write, "key*"),
    ] {
        let action = action(name).unwrap();
        assert_eq!(action.access_level(), level, "{name}");
        let marked = |on: ActionResource| {
            format!("{}{}", on.resource_type().name(), if on.is_required() { "*" } else { "" })
        };
        let mut found: Vec<String> = action.resources().map(marked).collect();
        let mut expected: Vec<&str> = resources.split_whitespace().collect();
        found.sort();
        expected.sort_unstable();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn an_action_has_the_dependent_actions_that_aws_documents() {
    let dependents = |name| action(name).unwrap().dependent_actions().collect::<Vec<_>>();
    assert_eq!(dependents("lambda:CreateFunction"), ["iam:PassRole", "lambda:PassCapacityProvider"]);
    assert!(dependents("ec2:RunInstances").contains(&"iam:PassRole"));
    assert_eq!(dependents("s3:GetObject"), [""; 0]);
}

#[test]
fn what_does_not_exist_is_not_found() {
    for name in ["s3:ListObjectsV2", "s3:", ":GetObject", "", "s3", "s4:GetObject", "s3:a\tb", "s3:Get*"] {
        assert_eq!(action(name), None, "{name}");
    }
    assert_eq!(service(""), None);
    assert_eq!(service("Amazon S3"), None);
    assert_eq!(condition_key("s3:prefixes"), None);
    assert_eq!(condition_key("prefix"), None);
    assert_eq!(condition_key("s3:sub"), None);
    assert_eq!(condition_key("ec2:ResourceTag/"), None);
}

#[test]
fn a_pattern_expands_to_the_actions_that_it_reaches() {
    let count = |pattern| expand(pattern).count();
    assert_eq!(count("*"), 22_321);
    assert_eq!(count("s3:*"), service("s3").unwrap().actions().count());
    assert_eq!(count("S3:getobject"), 1);
    assert!(expand("s3:Get*").all(|action| action.name().starts_with("Get")));
    assert_eq!(count("s3:?etObject"), 1);
    for pattern in ["s3", "s*:GetObject", "s3:Got*", "", ":*"] {
        assert_eq!(count(pattern), 0, "{pattern}");
    }
}

#[test]
fn an_arn_is_of_the_types_whose_formats_it_has() {
    for (arn, types) in [
        ("arn:aws:s3:::b", "s3:bucket"),
        ("arn:aws:s3:::b/k/l", "s3:object"),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/t", "dynamodb:table"),
        ("arn:aws:dynamodb:eu-west-1:111122223333:table/t/index/i", "dynamodb:index"),
        ("arn:aws-cn:sqs:cn-north-1:111122223333:q", "sqs:queue"),
        (
            "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/a/b",
            "elasticloadbalancing:targetgroup",
        ),
        ("arn:aws:s3:eu-west-1:111122223333:b", ""),
        ("arn:aws:nothing:::b", ""),
        ("arn:aws:s3", ""),
        ("b", ""),
    ] {
        assert_eq!(names(&resource_types(arn)).join(" "), types, "{arn}");
    }
}

#[test]
fn an_arn_is_of_a_type_of_another_service_only_where_its_own_has_none() {
    assert_eq!(names(&resource_types("arn:aws:iam::111122223333:role/r")), ["iam:role"]);
    assert_eq!(
        names(&resource_types("arn:aws:catalog:eu-west-1:111122223333:portfolio/p")),
        ["servicecatalog:Portfolio"]
    );
}

#[test]
fn a_wildcard_or_a_variable_may_stand_for_any_part_of_an_arn() {
    assert_eq!(names(&resource_types("arn:aws:s3:::${aws:PrincipalTag/team}/*")), ["s3:object"]);
    assert_eq!(
        names(&resource_types("arn:${aws:p}:dynamodb:${aws:RequestedRegion}:*:table/*")),
        names(&resource_types("arn:*:dynamodb:*:*:table/*")),
    );
    assert_eq!(names(&resource_types("arn:aws:sqs:*")), ["sqs:queue"]);
    let queues = |arn| resource_types(arn).iter().any(|of| of.name() == "queue");
    assert!(queues("arn:aws:sq*") && !queues("arn:aws:sn*"));
    assert_eq!(resource_types("*").len(), 2_348);
    assert!(names(&resource_types("arn:aws:*:*:*:table/t")).contains(&"dynamodb:table".to_owned()));
}

#[test]
fn a_condition_key_is_found_wherever_its_service_stands() {
    for (name, found, value_type, multivalued) in [
        ("S3:Prefix", "s3:prefix", ValueType::String, false),
        ("s3:ExistingObjectTag/team", "s3:ExistingObjectTag/${key}", ValueType::String, false),
        ("s3:max-keys", "s3:max-keys", ValueType::Numeric, false),
        ("dynamodb:LeadingKeys", "dynamodb:LeadingKeys", ValueType::String, true),
        (
            "kms:EncryptionContext:app",
            "kms:EncryptionContext:${EncryptionContextKey}",
            ValueType::String,
            false,
        ),
        ("saml:aud", "saml:aud", ValueType::String, false),
        (
            "token.actions.githubusercontent.com:actor",
            "token.actions.githubusercontent.com:actor",
            ValueType::String,
            false,
        ),
        (
            "agent.example.buildkite.dev:cluster_id",
            "agent.${Domain}.buildkite.dev:cluster_id",
            ValueType::String,
            false,
        ),
        ("oidc.eks.eu-west-1.amazonaws.com/id/A1:sub", "${Host}.${Domain}:sub", ValueType::String, false),
        ("ec2:Vpc", "ec2:Vpc", ValueType::Arn, false),
        ("ec2:SourceInstanceARN", "ec2:SourceInstanceARN", ValueType::Arn, false),
        ("iam:PassedToService", "iam:PassedToService", ValueType::String, false),
    ] {
        let key = condition_key(name).unwrap_or_else(|| panic!("{name}"));
        assert_eq!((key.name(), key.value_type(), key.is_multivalued()), (found, value_type, multivalued));
    }
}

#[test]
fn a_slip_of_the_pen_is_recognized() {
    assert_eq!(near_services("dynamdb").first(), Some(&"dynamodb"));
    assert_eq!(service("s3").unwrap().near_actions("ListBuckets").first(), Some(&"ListBucket"));
    assert_eq!(near_condition_keys("s3:x-amz-alc"), ["s3:x-amz-acl"]);
    assert_eq!(near_condition_keys("platform:team"), [""; 0]);
}
