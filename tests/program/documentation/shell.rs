// SPDX-License-Identifier: MPL-2.0

//! Enough of a shell's language to read the commands of examples.

/// Returns the commands in `lines`, each as its words, without variables set in front.
pub fn commands(lines: &[&str]) -> Vec<Vec<String>> {
    let text = lines.join("\n").replace("\\\n", " ");
    let mut commands = vec![Vec::new()];
    for token in tokens(&text) {
        match token {
            Token::Word(word) => commands.last_mut().unwrap().push(word),
            Token::End => commands.push(Vec::new()),
        }
    }
    let without_settings = |words: Vec<String>| {
        let words = words.into_iter().skip_while(|word| is_setting(word));
        words.collect::<Vec<_>>()
    };
    let commands = commands.into_iter().map(without_settings);
    commands.filter(|words| !words.is_empty()).collect()
}

enum Token {
    Word(String),
    /// Between two commands.
    End,
}

fn tokens(text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                word.extend(letters.by_ref().take_while(|next| *next != letter));
            }
            '\\' => word.get_or_insert_default().extend(letters.next()),
            '#' if word.is_none() => while letters.next_if(|next| *next != '\n').is_some() {},
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                tokens.extend(word.take().map(Token::Word));
                tokens.push(Token::End);
            }
            letter if letter.is_whitespace() => tokens.extend(word.take().map(Token::Word)),
            letter => word.get_or_insert_default().push(letter),
        }
    }
    tokens.extend(word.map(Token::Word));
    tokens
}

/// Returns true if `word` is `NAME=value`.
fn is_setting(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        !name.is_empty()
            && name
                .bytes()
                .all(|letter| letter.is_ascii_uppercase() || letter == b'_')
    })
}

#[test]
fn commands_are_split_as_a_shell_splits_them() {
    let lines = [
        "A=1 first --to 'one two'   # a comment",
        "(second \"a b\"; third) | fourth \\",
        "    last",
    ];
    let expected: [&[&str]; 4] = [
        &["first", "--to", "one two"],
        &["second", "a b"],
        &["third"],
        &["fourth", "last"],
    ];
    assert_eq!(commands(&lines), expected);
}
