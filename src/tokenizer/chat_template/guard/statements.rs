//! Statements of a template, copied; text and values that are kept go where they are paid for.

use minijinja::machinery::ast::{self, Expr, Spanned, Stmt};
use minijinja::{Error, ErrorKind, Value};

use super::expressions::paid;
use super::{KEPT, Rewriter};

impl Rewriter<'_> {
    pub(super) fn statements<'s>(&mut self, body: &[Stmt<'s>]) -> Result<Vec<Stmt<'s>>, Error> {
        body.iter().map(|stmt| self.statement(stmt)).collect()
    }

    pub(super) fn statement<'s>(&mut self, stmt: &Stmt<'s>) -> Result<Stmt<'s>, Error> {
        self.deeper(|this| this.copied_statement(stmt))
    }

    fn copied_statement<'s>(&mut self, stmt: &Stmt<'s>) -> Result<Stmt<'s>, Error> {
        Ok(match stmt {
            Stmt::Template(s) => Stmt::Template(Spanned::new(
                ast::Template {
                    children: self.statements(&s.children)?,
                },
                s.span(),
            )),
            // As an expression, so that it goes through the formatter, which pays.
            Stmt::EmitRaw(s) => {
                let value = Value::from(s.raw);
                let expr = Expr::Const(Spanned::new(ast::Const { value }, s.span()));
                Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr }, s.span()))
            }
            Stmt::EmitExpr(s) => {
                let expr = self.expr(&s.expr)?;
                Stmt::EmitExpr(Spanned::new(ast::EmitExpr { expr }, s.span()))
            }
            Stmt::ForLoop(s) => self.for_loop(s)?,
            Stmt::IfCond(s) => Stmt::IfCond(Spanned::new(
                ast::IfCond {
                    expr: self.expr(&s.expr)?,
                    true_body: self.statements(&s.true_body)?,
                    false_body: self.statements(&s.false_body)?,
                },
                s.span(),
            )),
            Stmt::WithBlock(s) => self.with_block(s)?,
            Stmt::Set(s) => self.set(s)?,
            Stmt::SetBlock(s) => Stmt::SetBlock(Spanned::new(
                ast::SetBlock {
                    target: self.expr(&s.target)?,
                    filter: self.optional(s.filter.as_ref())?,
                    body: self.statements(&s.body)?,
                },
                s.span(),
            )),
            Stmt::AutoEscape(s) => Stmt::AutoEscape(Spanned::new(
                ast::AutoEscape {
                    enabled: self.expr(&s.enabled)?,
                    body: self.statements(&s.body)?,
                },
                s.span(),
            )),
            Stmt::FilterBlock(s) => Stmt::FilterBlock(Spanned::new(
                ast::FilterBlock {
                    filter: self.expr(&s.filter)?,
                    body: self.statements(&s.body)?,
                },
                s.span(),
            )),
            Stmt::Block(s) => Stmt::Block(Spanned::new(
                ast::Block {
                    name: s.name,
                    required: s.required,
                    body: self.statements(&s.body)?,
                },
                s.span(),
            )),
            Stmt::Import(_) | Stmt::FromImport(_) | Stmt::Extends(_) | Stmt::Include(_) => {
                return Err(Error::new(
                    ErrorKind::TemplateNotFound,
                    "a chat template is alone and has no other to include",
                ));
            }
            Stmt::Macro(s) => Stmt::Macro(self.macro_declaration(s)?),
            Stmt::CallBlock(s) => Stmt::CallBlock(Spanned::new(
                ast::CallBlock {
                    call: self.call(&s.call)?,
                    macro_decl: self.macro_declaration(&s.macro_decl)?,
                },
                s.span(),
            )),
            Stmt::Do(s) => {
                let call = self.call(&s.call)?;
                Stmt::Do(Spanned::new(ast::Do { call }, s.span()))
            }
            Stmt::Continue(s) => Stmt::Continue(Spanned::new(ast::Continue, s.span())),
            Stmt::Break(s) => Stmt::Break(Spanned::new(ast::Break, s.span())),
        })
    }

    fn for_loop<'s>(&mut self, s: &Spanned<ast::ForLoop<'s>>) -> Result<Stmt<'s>, Error> {
        Ok(Stmt::ForLoop(Spanned::new(
            ast::ForLoop {
                target: self.target(&s.target)?,
                iter: self.expr(&s.iter)?,
                filter_expr: self.optional(s.filter_expr.as_ref())?,
                recursive: s.recursive,
                body: self.statements(&s.body)?,
                else_body: self.statements(&s.else_body)?,
            },
            s.span(),
        )))
    }

    fn with_block<'s>(&mut self, s: &Spanned<ast::WithBlock<'s>>) -> Result<Stmt<'s>, Error> {
        let assignments = s
            .assignments
            .iter()
            .map(|(target, value)| Ok((self.target(target)?, self.expr(value)?)))
            .collect::<Result<_, Error>>()?;
        Ok(Stmt::WithBlock(Spanned::new(
            ast::WithBlock {
                assignments,
                body: self.statements(&s.body)?,
            },
            s.span(),
        )))
    }

    fn set<'s>(&mut self, s: &Spanned<ast::Set<'s>>) -> Result<Stmt<'s>, Error> {
        let value = self.expr(&s.expr)?;
        let expr = match &s.target {
            Expr::GetAttr(_) => paid(KEPT, value),
            _ => value,
        };
        let target = self.target(&s.target)?;
        Ok(Stmt::Set(Spanned::new(ast::Set { target, expr }, s.span())))
    }

    fn macro_declaration<'s>(
        &mut self,
        s: &Spanned<ast::Macro<'s>>,
    ) -> Result<Spanned<ast::Macro<'s>>, Error> {
        Ok(Spanned::new(
            ast::Macro {
                name: s.name,
                args: s
                    .args
                    .iter()
                    .map(|arg| self.target(arg))
                    .collect::<Result<_, _>>()?,
                defaults: self.exprs(&s.defaults)?,
                body: self.statements(&s.body)?,
            },
            s.span(),
        ))
    }

    /// What is assigned to: names, attributes of namespaces, and lists of them.
    pub(super) fn target<'s>(&mut self, target: &Expr<'s>) -> Result<Expr<'s>, Error> {
        let targets = |this: &mut Self, items: &[Expr<'s>]| {
            items
                .iter()
                .map(|item| this.deeper(|this| this.target(item)))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(match target {
            Expr::List(s) => {
                let items = targets(self, &s.items)?;
                Expr::List(Spanned::new(ast::List { items }, s.span()))
            }
            Expr::Tuple(s) => {
                let items = targets(self, &s.items)?;
                Expr::Tuple(Spanned::new(ast::Tuple { items }, s.span()))
            }
            other => self.expr(other)?,
        })
    }
}
