//! A list made of another one: `[body for name in list where filter]`.

use super::super::{Expression, Mistake, Value};
use super::{Evaluation, Found, MOST_ITEMS};

impl<'a> Evaluation<'a> {
    pub(super) fn find_each(
        &mut self,
        body: &'a Expression,
        name: &'a str,
        list: &'a Expression,
        filter: Option<&'a Expression>,
        at: usize,
    ) -> Found {
        let Some(list) = self.find(list)? else {
            return Ok(None);
        };
        let items = list.items().map_err(|message| Mistake::new(at, message))?;
        if items.len() > MOST_ITEMS {
            let message = format!("a list for 'for' has at most {MOST_ITEMS} elements");
            return Err(Mistake::new(at, message));
        }
        let mut found = Vec::new();
        let mut is_complete = true;
        for item in items {
            self.bound.push((name, item));
            let value = self.find_element(body, filter, at);
            self.bound.pop();
            match value? {
                Element::Value(value) => found.push(value),
                Element::LeftOut => {}
                Element::Unknown => is_complete = false,
            }
        }
        Ok(is_complete.then(|| found.into_iter().collect()))
    }

    fn find_element(
        &mut self,
        body: &'a Expression,
        filter: Option<&'a Expression>,
        at: usize,
    ) -> Result<Element, Mistake> {
        if let Some(filter) = filter {
            let Some(counts) = self.find(filter)? else {
                return Ok(Element::Unknown);
            };
            if !counts
                .truth()
                .map_err(|message| Mistake::new(at, message))?
            {
                return Ok(Element::LeftOut);
            }
        }
        Ok(self.find(body)?.map_or(Element::Unknown, Element::Value))
    }
}

/// One value of a `for`.
enum Element {
    Value(Value),
    LeftOut,
    Unknown,
}
