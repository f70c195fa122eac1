//! [`Expression`]: PromQL as far as our dashboard and rules use it. What is beyond that is a mistake
//! here, so that nothing passes unread.

/// One expression with all that it is made of.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    Number(f64),
    /// A name alone, as the label that `label_values` is asked for.
    Word(String),
    /// A metric with the labels that are matched; over a time or at a moment.
    Series {
        name: String,
        matched: Vec<String>,
        over: Time,
    },
    /// A function, or an aggregation with the labels that it keeps.
    Call {
        name: String,
        by: Option<Vec<String>>,
        arguments: Vec<Expression>,
    },
    /// Two sides, with the labels by which they are brought together.
    Pair {
        left: Box<Expression>,
        operator: String,
        on: Option<Vec<String>>,
        right: Box<Expression>,
    },
}

/// For which time a series is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Time {
    Moment,
    Range,
}

/// Operators, those that bind least first.
const OPERATORS: [&[&str]; 5] =
    [&["or"], &["and", "unless"], &["==", "!=", ">", "<", ">=", "<="], &["+", "-"], &["*", "/"]];

impl Expression {
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader { tokens: tokens(text)?, at: 0 };
        let expression = reader.pair(0)?;
        match reader.next() {
            None => Ok(expression),
            Some(more) => Err(format!("{more} stands behind the end")),
        }
    }
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn pair(&mut self, level: usize) -> Result<Expression, String> {
        let Some(operators) = OPERATORS.get(level) else { return self.single() };
        let mut left = self.pair(level + 1)?;
        while let Some(operator) = self.next_if(|token| operators.contains(&token)) {
            let on = self.labels_behind("on")?;
            let right = Box::new(self.pair(level + 1)?);
            left = Expression::Pair { left: Box::new(left), operator, on, right };
        }
        Ok(left)
    }

    fn single(&mut self) -> Result<Expression, String> {
        let token = self.next().ok_or("it ends too early")?;
        if token == "(" {
            let inner = self.pair(0)?;
            self.expect(")")?;
            return Ok(inner);
        }
        if let Ok(number) = token.parse() {
            return Ok(Expression::Number(number));
        }
        if !token.starts_with(is_letter) {
            return Err(format!("{token} is out of place"));
        }
        let by = self.labels_behind("by")?;
        if by.is_some() || self.peek() == Some("(") {
            return Ok(Expression::Call { name: token, by, arguments: self.arguments()? });
        }
        if !token.starts_with("cloakroom_") {
            return Ok(Expression::Word(token));
        }
        let matched = self.matchers()?;
        let over = match self.next_if(|token| token.starts_with('[')) {
            Some(_) => Time::Range,
            None => Time::Moment,
        };
        Ok(Expression::Series { name: token, matched, over })
    }

    fn arguments(&mut self) -> Result<Vec<Expression>, String> {
        self.expect("(")?;
        let mut arguments = vec![self.pair(0)?];
        while self.next_if(|token| token == ",").is_some() {
            arguments.push(self.pair(0)?);
        }
        self.expect(")")?;
        Ok(arguments)
    }

    fn labels_behind(&mut self, word: &str) -> Result<Option<Vec<String>>, String> {
        if self.next_if(|token| token == word).is_none() {
            return Ok(None);
        }
        let words = self.arguments()?.into_iter().map(|label| match label {
            Expression::Word(label) => Ok(label),
            other => Err(format!("{other:?} is no label")),
        });
        words.collect::<Result<_, _>>().map(Some)
    }

    fn matchers(&mut self) -> Result<Vec<String>, String> {
        let mut matched = Vec::new();
        if self.next_if(|token| token == "{").is_none() {
            return Ok(matched);
        }
        loop {
            matched.push(self.next().ok_or("a label is missing")?);
            let how = self.next().unwrap_or_default();
            let value = self.next().unwrap_or_default();
            if !["=", "!=", "=~", "!~"].contains(&how.as_str()) || !value.starts_with('"') {
                return Err(format!("{how} {value} matches nothing"));
            }
            if self.next_if(|token| token == ",").is_none() {
                self.expect("}")?;
                return Ok(matched);
            }
        }
    }

    fn peek(&self) -> Option<&str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<String> {
        self.next_if(|_| true)
    }

    fn next_if(&mut self, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let token = self.tokens.get(self.at).filter(|token| wanted(token))?;
        self.at += 1;
        Some(token.clone())
    }

    fn expect(&mut self, wanted: &str) -> Result<(), String> {
        let found = self.next().unwrap_or_default();
        if found == wanted { Ok(()) } else { Err(format!("{wanted} expected, {found:?} found")) }
    }
}

/// Words and numbers, texts, ranges, and signs of one letter or two.
fn tokens(text: &str) -> Result<Vec<String>, String> {
    let (mut tokens, mut rest) = (Vec::new(), text.trim_start());
    while let Some(first) = rest.chars().next() {
        let closed_by = |end: char| {
            rest[1..].find(end).map(|at| at + 2).ok_or_else(|| format!("{first} stays open"))
        };
        let length = match first {
            '"' => closed_by('"')?,
            '[' => closed_by(']')?,
            _ if is_word(first) => rest.find(|it| !is_word(it)).unwrap_or(rest.len()),
            _ if ["==", "!=", ">=", "<=", "=~", "!~"].iter().any(|it| rest.starts_with(it)) => 2,
            _ => first.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = rest[length..].trim_start();
    }
    Ok(tokens)
}

fn is_letter(letter: char) -> bool {
    letter.is_ascii_alphabetic() || letter == '_'
}

fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_' || letter == '.'
}
