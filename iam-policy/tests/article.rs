//! Policies as sets, told by AWS's own policies.
#![expect(clippy::unwrap_used, reason = "tests")]
use std::collections::BTreeMap;
use iam_policy::{Permissions, Policy, PolicyKind, managed, Method};

fn managed(name: &str) -> Permissions {
    Policy::parse(managed::find(name).unwrap().document(), PolicyKind::Identity).unwrap().permissions()
}

fn levels(set: &Permissions) -> BTreeMap<String, usize> {
    let mut l = BTreeMap::new();
    for (action, answer) in set.actions() {
        if let Some(u) = answer.unknown() { println!("{action} {u}"); }
        *l.entry(action.access_level().to_string()).or_default() += 1;
    }
    l
}

#[test]
fn trial() {
    let t = std::time::Instant::now();
    let (read, power) = (managed("ReadOnlyAccess"), managed("PowerUserAccess"));
    println!("{:?}", t.elapsed());
    for (name, set) in [("read", read.clone()), ("power", power.clone()), ("read-power", read.difference(&power)), ("power-read", power.difference(&read)), ("union", read.union(&power)), ("inter", read.intersection(&power))] {
        let t = std::time::Instant::now();
        println!("{name} {:?} {:?}", levels(&set), t.elapsed());
    }
    let text = |action: &str| Policy::parse(format!(r#"{{"Statement":{{"Effect":"Allow","Action":"{action}","Resource":"*"}}}}"#), PolicyKind::Identity).unwrap().permissions();
    let ec2 = read.intersection(&text("ec2:*"));
    for method in Method::ALL {
    let t = std::time::Instant::now();
        match ec2.to_documents(method) {
            Ok(d) => println!("{method:?} {:?} {}", d.identity.iter().map(|p| p.to_json().chars().take(500).collect::<String>()).collect::<Vec<_>>(), d.boundary.len()),
            Err(e) => println!("{e}"),
        }
    println!("{:?}", t.elapsed());
    }
    let t = std::time::Instant::now();
    for (a, b) in [("ViewOnlyAccess", "ReadOnlyAccess"), ("SecurityAudit", "ReadOnlyAccess")] {
        let (a, b) = (managed(a), managed(b));
        println!("{} {:?}", a.difference(&b).actions().len(), t.elapsed());
        println!("{:?} {:?}", a.closed().is_subset(&b).is_no(), t.elapsed());
    }
}
