//! The session beside its model, as a state machine: proptest shrinks what tells them apart to the fewest operations.

use ami_fuzz::session::model::{Model, Seen};
use ami_fuzz::session::{Kind, Operation, Reply, Subject};
use arbitrary::{Arbitrary as _, Unstructured};
use proptest::prelude::{
    BoxedStrategy, Just, ProptestConfig, Strategy, any, prop_assert_eq, prop_oneof, proptest,
};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};

/// The model, and what it said of the last operation.
#[derive(Debug, Clone)]
struct Foretold {
    model: Model,
    seen: Seen,
}

fn kinds() -> impl Strategy<Value = Kind> {
    prop_oneof![Just(Kind::Single), Just(Kind::List), Just(Kind::Raw)]
}

fn replies() -> impl Strategy<Value = Reply> {
    prop_oneof![
        4 => Just(Reply::Success),
        2 => Just(Reply::Error),
        2 => Just(Reply::ListStart),
        2 => Just(Reply::Pong),
        1 => Just(Reply::Goodbye),
        4 => Just(Reply::Item),
        1 => Just(Reply::OnlyItem),
        3 => any::<u8>().prop_map(|listed| Reply::Complete { listed }),
        1 => Just(Reply::NamedComplete),
        2 => Just(Reply::Text),
    ]
}

fn operations() -> impl Strategy<Value = Operation> {
    prop_oneof![
        6 => (kinds(), any::<u8>()).prop_map(|(answer, patience)| Operation::Send { answer, patience }),
        9 => (replies(), any::<u8>(), any::<u8>()).prop_map(|(reply, to, cut)| Operation::Deliver { reply, to, cut }),
        3 => (replies(), any::<u8>()).prop_map(|(reply, cut)| Operation::Nameless { reply, cut }),
        2 => (0..40_u8).prop_map(|span| Operation::Wait { span }),
        1 => any::<u8>().prop_map(|of| Operation::EndList { of }),
    ]
}

impl ReferenceStateMachine for Foretold {
    type State = Self;
    type Transition = Operation;

    fn init_state() -> BoxedStrategy<Self> {
        let begin = Self {
            model: Model::default(),
            seen: Seen::Nothing,
        };
        Just(begin).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Operation> {
        operations().boxed()
    }

    fn apply(mut state: Self, operation: &Operation) -> Self {
        state.seen = state.model.apply(*operation);
        state
    }
}

struct Session;

impl StateMachineTest for Session {
    type SystemUnderTest = Subject;
    type Reference = Foretold;

    fn init_test(_: &Foretold) -> Subject {
        Subject::new()
    }

    fn apply(mut subject: Subject, foretold: &Foretold, operation: Operation) -> Subject {
        assert_eq!(subject.apply(operation), foretold.seen, "{operation:?}");
        subject
    }

    fn check_invariants(subject: &Subject, foretold: &Foretold) {
        assert_eq!(subject.standing(), foretold.model.standing());
    }

    fn teardown(mut subject: Subject, foretold: Foretold) {
        let mut model = foretold.model;
        assert_eq!(
            subject.apply(Operation::Close),
            model.apply(Operation::Close)
        );
        model.assert_all_ended_once();
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes in whatever order, the session says what the model says, and each action ends exactly once.
    #[test]
    fn the_session_does_what_its_model_does(sequential 1..120 => Session);
}

proptest! {
    /// arbitrary(bytes(o)) = o: a conversation written as operations is the seed that it is meant to be.
    #[test]
    fn operations_are_read_as_they_were_written(operation in operations()) {
        let bytes = operation.to_bytes();
        let mut rest = Unstructured::new(&bytes);
        prop_assert_eq!(Operation::arbitrary(&mut rest).unwrap(), operation);
        prop_assert_eq!(rest.len(), 0);
    }
}

/// The bound of what is in flight, which random operations seldom reach.
#[test]
fn a_full_session_takes_no_more_and_gives_back_what_it_held() {
    let (mut subject, mut model) = (Subject::new(), Model::default());
    let send = Operation::Send {
        answer: Kind::Single,
        patience: 9,
    };
    let answer = Operation::Deliver {
        reply: Reply::Success,
        to: 7,
        cut: 0,
    };
    let mut sends = vec![send; ami_proto::session::IN_FLIGHT_MAX + 1];
    sends.extend([answer, send, send, Operation::Close]);
    for operation in sends {
        assert_eq!(subject.apply(operation), model.apply(operation));
        assert_eq!(subject.standing(), model.standing());
    }
    model.assert_all_ended_once();
}
