//! Expressions of a template, copied with every operand that may be large behind a function that pays.

use minijinja::Error;
use minijinja::machinery::Span;
use minijinja::machinery::ast::{
    self, BinOpKind, CallArg, CompareOpKind, Expr, Spanned, UnaryOpKind,
};

use super::{BUILT, PLACES, REPEATED, Rewriter, SEARCHED, WHOLE};

/// A call of one of the functions above.
fn call<'s>(function: &'static str, args: Vec<Expr<'s>>, span: Span) -> Expr<'s> {
    Expr::Call(Spanned::new(
        ast::Call {
            expr: Expr::Var(Spanned::new(ast::Var { id: function }, span)),
            args: args.into_iter().map(CallArg::Pos).collect(),
        },
        span,
    ))
}

/// An operand behind a function that pays; a constant is as small as the template that holds it.
pub(super) fn paid<'s>(function: &'static str, operand: Expr<'s>) -> Expr<'s> {
    let span = operand.span();
    match operand {
        Expr::Const(_) => operand,
        operand => call(function, vec![operand], span),
    }
}

impl Rewriter<'_> {
    pub(super) fn exprs<'s>(&mut self, exprs: &[Expr<'s>]) -> Result<Vec<Expr<'s>>, Error> {
        exprs.iter().map(|expr| self.expr(expr)).collect()
    }

    pub(super) fn optional<'s>(
        &mut self,
        expr: Option<&Expr<'s>>,
    ) -> Result<Option<Expr<'s>>, Error> {
        expr.map(|expr| self.expr(expr)).transpose()
    }

    pub(super) fn expr<'s>(&mut self, expr: &Expr<'s>) -> Result<Expr<'s>, Error> {
        self.deeper(|this| this.copied_expr(expr))
    }

    fn copied_expr<'s>(&mut self, expr: &Expr<'s>) -> Result<Expr<'s>, Error> {
        let span = expr.span();
        Ok(match expr {
            Expr::Var(s) => Expr::Var(Spanned::new(ast::Var { id: s.id }, span)),
            Expr::Const(s) => {
                let value = s.value.clone();
                Expr::Const(Spanned::new(ast::Const { value }, span))
            }
            Expr::Slice(s) => Expr::Slice(Spanned::new(
                ast::Slice {
                    expr: paid(PLACES, self.expr(&s.expr)?),
                    start: self.optional(s.start.as_ref())?,
                    stop: self.optional(s.stop.as_ref())?,
                    step: self.optional(s.step.as_ref())?,
                },
                span,
            )),
            Expr::UnaryOp(s) => {
                let op = if matches!(s.op, UnaryOpKind::Not) {
                    UnaryOpKind::Not
                } else {
                    UnaryOpKind::Neg
                };
                let expr = self.expr(&s.expr)?;
                Expr::UnaryOp(Spanned::new(ast::UnaryOp { op, expr }, span))
            }
            Expr::BinOp(s) => self.binary(s)?,
            Expr::Compare(s) => self.comparison(s)?,
            Expr::IfExpr(s) => Expr::IfExpr(Spanned::new(
                ast::IfExpr {
                    test_expr: self.expr(&s.test_expr)?,
                    true_expr: self.expr(&s.true_expr)?,
                    false_expr: self.optional(s.false_expr.as_ref())?,
                },
                span,
            )),
            Expr::Filter(s) => Expr::Filter(Spanned::new(
                ast::Filter {
                    name: s.name,
                    expr: self.optional(s.expr.as_ref())?,
                    args: self.args(&s.args)?,
                },
                span,
            )),
            Expr::Test(s) => Expr::Test(Spanned::new(
                ast::Test {
                    name: s.name,
                    expr: self.expr(&s.expr)?,
                    args: self.args(&s.args)?,
                },
                span,
            )),
            Expr::GetAttr(s) => {
                let expr = self.expr(&s.expr)?;
                Expr::GetAttr(Spanned::new(ast::GetAttr { expr, name: s.name }, span))
            }
            Expr::GetItem(s) => Expr::GetItem(Spanned::new(
                ast::GetItem {
                    expr: self.expr(&s.expr)?,
                    subscript_expr: paid(WHOLE, self.expr(&s.subscript_expr)?),
                },
                span,
            )),
            Expr::Call(s) => Expr::Call(self.call(s)?),
            Expr::List(_) | Expr::Tuple(_) | Expr::Map(_) => self.literal(expr)?,
        })
    }

    fn binary<'s>(&mut self, s: &Spanned<ast::BinOp<'s>>) -> Result<Expr<'s>, Error> {
        let (left, right) = (self.expr(&s.left)?, self.expr(&s.right)?);
        let (left, right) = match s.op {
            BinOpKind::Mul => return Ok(call(REPEATED, vec![left, right], s.span())),
            BinOpKind::ScAnd | BinOpKind::ScOr => (left, right),
            BinOpKind::In => (paid(WHOLE, left), paid(SEARCHED, right)),
            BinOpKind::Add
            | BinOpKind::Sub
            | BinOpKind::Div
            | BinOpKind::FloorDiv
            | BinOpKind::Rem
            | BinOpKind::Pow => (paid(PLACES, left), paid(PLACES, right)),
            BinOpKind::Concat
            | BinOpKind::Eq
            | BinOpKind::Ne
            | BinOpKind::Lt
            | BinOpKind::Lte
            | BinOpKind::Gt
            | BinOpKind::Gte => (paid(WHOLE, left), paid(WHOLE, right)),
        };
        let op = s.op;
        Ok(Expr::BinOp(Spanned::new(
            ast::BinOp { op, left, right },
            s.span(),
        )))
    }

    fn comparison<'s>(&mut self, s: &Spanned<ast::Compare<'s>>) -> Result<Expr<'s>, Error> {
        let expr = paid(WHOLE, self.expr(&s.expr)?);
        let mut ops = Vec::with_capacity(s.ops.len());
        for compare in &s.ops {
            let pays = match compare.op {
                CompareOpKind::In | CompareOpKind::NotIn => SEARCHED,
                _ => WHOLE,
            };
            ops.push(ast::CompareOp {
                op: compare.op,
                expr: paid(pays, self.expr(&compare.expr)?),
            });
        }
        Ok(Expr::Compare(Spanned::new(
            ast::Compare { expr, ops },
            s.span(),
        )))
    }

    /// A list, tuple or mapping that is written down in the template.
    fn literal<'s>(&mut self, expr: &Expr<'s>) -> Result<Expr<'s>, Error> {
        let span = expr.span();
        if let Some(value) = expr.as_const() {
            return Ok(Expr::Const(Spanned::new(ast::Const { value }, span)));
        }
        let built = match expr {
            Expr::Map(s) => {
                let keys = self.exprs(&s.keys)?;
                Expr::Map(Spanned::new(
                    ast::Map {
                        keys: keys.into_iter().map(|key| paid(WHOLE, key)).collect(),
                        values: self.exprs(&s.values)?,
                    },
                    span,
                ))
            }
            Expr::Tuple(s) => {
                let items = self.exprs(&s.items)?;
                Expr::Tuple(Spanned::new(ast::Tuple { items }, span))
            }
            Expr::List(s) => {
                let items = self.exprs(&s.items)?;
                Expr::List(Spanned::new(ast::List { items }, span))
            }
            other => return self.expr(other),
        };
        Ok(paid(BUILT, built))
    }

    /// A call; its shape is kept, because `name(…)` and `value.method(…)` mean something else than calling any other value.
    pub(super) fn call<'s>(
        &mut self,
        s: &Spanned<ast::Call<'s>>,
    ) -> Result<Spanned<ast::Call<'s>>, Error> {
        let mut args = self.args(&s.args)?;
        // `loop.changed(x)` compares with the last x.
        if matches!(&s.expr, Expr::GetAttr(attr) if attr.name == "changed") {
            args = args
                .into_iter()
                .map(|arg| match arg {
                    CallArg::Pos(expr) => CallArg::Pos(paid(WHOLE, expr)),
                    other => other,
                })
                .collect();
        }
        let expr = self.expr(&s.expr)?;
        Ok(Spanned::new(ast::Call { expr, args }, s.span()))
    }

    pub(super) fn args<'s>(&mut self, args: &[CallArg<'s>]) -> Result<Vec<CallArg<'s>>, Error> {
        args.iter()
            .map(|arg| {
                Ok(match arg {
                    CallArg::Pos(expr) => CallArg::Pos(self.expr(expr)?),
                    CallArg::Kwarg(name, expr) => CallArg::Kwarg(name, self.expr(expr)?),
                    CallArg::PosSplat(expr) => CallArg::PosSplat(paid(PLACES, self.expr(expr)?)),
                    CallArg::KwargSplat(expr) => {
                        CallArg::KwargSplat(paid(PLACES, self.expr(expr)?))
                    }
                })
            })
            .collect()
    }
}
