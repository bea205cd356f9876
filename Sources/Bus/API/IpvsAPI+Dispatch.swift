// Generated from Sources/Bus/interfaces/io.evenkeel.Ipvs.varlink: change that and run `make generate`.
// Who answers the calls of `io.evenkeel.Ipvs`.
import Varlink

extension IpvsAPI {
    /// One requirement for each method but those of a reload. The parameters have been checked against the interface;
    /// the answer may come later.
    public protocol Handler: AnyObject {
        func listServices(_ call: ListServices, _ responder: Responder<ListServices>)
        func showService(_ call: ShowService, _ responder: Responder<ShowService>)
        func listTraffic(_ call: ListTraffic, _ responder: Responder<ListTraffic>)
        func listTable(_ call: ListTable, _ responder: Responder<ListTable>)
        func changeTable(_ call: ChangeTable, _ responder: Responder<ChangeTable>)
        func setWeight(_ call: SetWeight, _ responder: Responder<SetWeight>)
        func drain(_ call: Drain, _ responder: Responder<Drain>)
        func disable(_ call: Disable, _ responder: Responder<Disable>)
        func enable(_ call: Enable, _ responder: Responder<Enable>)
        func reset(_ call: Reset, _ responder: Responder<Reset>)
        func cutDepartures(_ call: CutDepartures, _ responder: Responder<CutDepartures>)
    }

    /// Gives each call to its requirement. Neither of the two is kept: when one is gone, a call is answered with
    /// ServiceUnavailable.
    public static func dispatch(to handler: some Handler, reload: some ReloadHandler<IpvsAPI>) -> Dispatch {
        { [weak handler, weak reload] call, pending in
            guard let handler, let reload else { return }
            switch call.method {
            case "io.evenkeel.Ipvs.ListServices": pending.hand(call, to: handler.listServices)
            case "io.evenkeel.Ipvs.ShowService": pending.hand(call, to: handler.showService)
            case "io.evenkeel.Ipvs.ListTraffic": pending.hand(call, to: handler.listTraffic)
            case "io.evenkeel.Ipvs.ListTable": pending.hand(call, to: handler.listTable)
            case "io.evenkeel.Ipvs.ChangeTable": pending.hand(call, to: handler.changeTable)
            case "io.evenkeel.Ipvs.SetWeight": pending.hand(call, to: handler.setWeight)
            case "io.evenkeel.Ipvs.Drain": pending.hand(call, to: handler.drain)
            case "io.evenkeel.Ipvs.Disable": pending.hand(call, to: handler.disable)
            case "io.evenkeel.Ipvs.Enable": pending.hand(call, to: handler.enable)
            case "io.evenkeel.Ipvs.Reset": pending.hand(call, to: handler.reset)
            case "io.evenkeel.Ipvs.CutDepartures": pending.hand(call, to: handler.cutDepartures)
            case "io.evenkeel.Ipvs.PrepareReload": pending.hand(call, to: reload.prepareReload)
            case "io.evenkeel.Ipvs.CommitReload": pending.hand(call, to: reload.commitReload)
            case "io.evenkeel.Ipvs.AbortReload": pending.hand(call, to: reload.abortReload)
            default: pending.answer(VarlinkServiceError.methodNotImplemented(call.method).reply)
            }
        }
    }
}
