// Generated from Sources/Bus/interfaces/io.evenkeel.Check.varlink: change that and run `make generate`.
// Who answers the calls of `io.evenkeel.Check`.
import Varlink

extension CheckAPI {
    /// One requirement for each method but those of a reload. The parameters have been checked against the interface;
    /// the answer may come later.
    public protocol Handler: AnyObject {
        func list(_ call: List, _ responder: Responder<List>)
        func run(_ call: Run, _ responder: Responder<Run>)
        func showHistory(_ call: ShowHistory, _ responder: Responder<ShowHistory>)
        func listLatencies(_ call: ListLatencies, _ responder: Responder<ListLatencies>)
        func probeOnce(_ call: ProbeOnce, _ responder: Responder<ProbeOnce>)
        func computeDigest(_ call: ComputeDigest, _ responder: Responder<ComputeDigest>)
        func testAlerts(_ call: TestAlerts, _ responder: Responder<TestAlerts>)
    }

    /// Gives each call to its requirement. Neither of the two is kept: when one is gone, a call is answered with
    /// ServiceUnavailable.
    public static func dispatch(to handler: some Handler, reload: some ReloadHandler<CheckAPI>) -> Dispatch {
        { [weak handler, weak reload] call, pending in
            guard let handler, let reload else { return }
            switch call.method {
            case "io.evenkeel.Check.List": pending.hand(call, to: handler.list)
            case "io.evenkeel.Check.Run": pending.hand(call, to: handler.run)
            case "io.evenkeel.Check.ShowHistory": pending.hand(call, to: handler.showHistory)
            case "io.evenkeel.Check.ListLatencies": pending.hand(call, to: handler.listLatencies)
            case "io.evenkeel.Check.ProbeOnce": pending.hand(call, to: handler.probeOnce)
            case "io.evenkeel.Check.ComputeDigest": pending.hand(call, to: handler.computeDigest)
            case "io.evenkeel.Check.TestAlerts": pending.hand(call, to: handler.testAlerts)
            case "io.evenkeel.Check.PrepareReload": pending.hand(call, to: reload.prepareReload)
            case "io.evenkeel.Check.CommitReload": pending.hand(call, to: reload.commitReload)
            case "io.evenkeel.Check.AbortReload": pending.hand(call, to: reload.abortReload)
            default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)
            }
        }
    }
}
