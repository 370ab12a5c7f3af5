//! What a parked runtime process reads when it is to become a function's.

use crate::message::Init;

/// The orders: a length, then texts that each end with a zero byte. `None` for what no process can have, such as a zero
/// byte inside of a text.
///
/// ```text
///  | bytes that follow, u32 little-endian | directory | number of words | word ... | NAME=value ...
/// ```
///
/// The words are the command that would be executed if nothing were parked.
pub fn write_orders(init: &Init) -> Option<Vec<u8>> {
    let command = init.commands.first()?;
    let count = command.len().to_string();
    let variables: Vec<String> = init.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if init.environment.iter().any(|(name, _)| name.is_empty() || name.contains('=')) {
        return None;
    }
    let texts = [&init.cwd, &count].into_iter().chain(command).chain(&variables);
    let mut orders = vec![0; 4];
    for text in texts {
        if text.contains('\0') {
            return None;
        }
        orders.extend_from_slice(text.as_bytes());
        orders.push(0);
    }
    let length = u32::try_from(orders.len() - 4).ok()?;
    orders[..4].copy_from_slice(&length.to_le_bytes());
    Some(orders)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Rlimits;

    fn init(words: &[&str], environment: &[(&str, &str)]) -> Init {
        Init {
            commands: vec![words.iter().map(|&word| word.to_owned()).collect(), vec!["/second".to_owned()]],
            environment: environment.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
            cwd: "/var/task".to_owned(),
            parked: true,
            telemetry: true,
            uid_gid: None,
            hostname: String::new(),
            rlimits: Rlimits { files: 1, processes: 1, core_bytes: 0 },
            response_bytes_max: 0,
            stream_bytes_max: 0,
        }
    }

    #[test]
    fn orders_are_the_directory_the_first_command_and_the_environment() {
        let orders = write_orders(&init(&["/bin/python", "a.b"], &[("A", "1=\n2"), ("B", "")])).unwrap();
        let (length, texts) = orders.split_first_chunk::<4>().unwrap();
        assert_eq!(u32::from_le_bytes(*length) as usize, texts.len());
        assert_eq!(texts, b"/var/task\x002\0/bin/python\0a.b\0A=1=\n2\0B=\0");
    }

    #[test]
    fn what_no_process_can_have_is_no_order() {
        assert_eq!(write_orders(&init(&["/bin/python", "a\0b"], &[])), None);
        for (name, value) in [("", "1"), ("A=B", "1"), ("A", "\0"), ("A\0", "")] {
            assert_eq!(write_orders(&init(&["/bin/python"], &[(name, value)])), None);
        }
        assert_eq!(write_orders(&Init { commands: vec![], ..init(&[], &[]) }), None);
    }
}
