// Generated from Sources/Bus/interfaces: change that and run `make generate`.
// Who may call which method, which need `more`, and what events there are.

extension Interfaces {
    /// The least role that may call a method.
    public static let roles: [String: Role] = [
        "io.evenkeel.Bus.Subscribe": .reader,
        "io.evenkeel.Bus.Publish": .daemon,
        "io.evenkeel.Bus.Register": .daemon,
        "io.evenkeel.Bus.ListServices": .reader,
        "io.evenkeel.Bus.GetStatistics": .reader,
        "io.evenkeel.Check.List": .reader,
        "io.evenkeel.Check.Run": .administrator,
        "io.evenkeel.Check.ShowHistory": .reader,
        "io.evenkeel.Check.ListLatencies": .reader,
        "io.evenkeel.Check.ProbeOnce": .administrator,
        "io.evenkeel.Check.ComputeDigest": .administrator,
        "io.evenkeel.Check.TestAlerts": .administrator,
        "io.evenkeel.Check.PrepareReload": .administrator,
        "io.evenkeel.Check.CommitReload": .administrator,
        "io.evenkeel.Check.AbortReload": .administrator,
        "io.evenkeel.Ipvs.ListServices": .reader,
        "io.evenkeel.Ipvs.ShowService": .reader,
        "io.evenkeel.Ipvs.ListTraffic": .reader,
        "io.evenkeel.Ipvs.ListTable": .reader,
        "io.evenkeel.Ipvs.ChangeTable": .administrator,
        "io.evenkeel.Ipvs.SetWeight": .administrator,
        "io.evenkeel.Ipvs.Drain": .administrator,
        "io.evenkeel.Ipvs.Disable": .administrator,
        "io.evenkeel.Ipvs.Enable": .administrator,
        "io.evenkeel.Ipvs.Reset": .administrator,
        "io.evenkeel.Ipvs.CutDepartures": .administrator,
        "io.evenkeel.Ipvs.PrepareReload": .administrator,
        "io.evenkeel.Ipvs.CommitReload": .administrator,
        "io.evenkeel.Ipvs.AbortReload": .administrator,
        "io.evenkeel.Script.Run": .administrator,
        "io.evenkeel.Script.End": .administrator,
        "io.evenkeel.Script.Write": .administrator,
        "io.evenkeel.Script.Hold": .administrator,
        "io.evenkeel.Script.List": .administrator,
        "io.evenkeel.Vrrp.List": .reader,
        "io.evenkeel.Vrrp.Show": .reader,
        "io.evenkeel.Vrrp.Failover": .administrator,
        "io.evenkeel.Vrrp.Resume": .administrator,
        "io.evenkeel.Vrrp.PrepareReload": .administrator,
        "io.evenkeel.Vrrp.CommitReload": .administrator,
        "io.evenkeel.Vrrp.AbortReload": .administrator,
        "org.varlink.resolver.GetInfo": .reader,
        "org.varlink.resolver.Resolve": .reader,
    ]

    /// Methods that make no sense without `more`.
    public static let needMore: Set<String> = [
        "io.evenkeel.Bus.Subscribe",
        "io.evenkeel.Bus.Register",
        "io.evenkeel.Script.Hold",
    ]

    /// The types of all events.
    public static let events: [String] = [
        "io.evenkeel.bus.interface",
        "io.evenkeel.daemon.alarm",
        "io.evenkeel.daemon.config",
        "io.evenkeel.check.server",
        "io.evenkeel.check.heartbeat",
        "io.evenkeel.alert",
        "io.evenkeel.ipvs.service",
        "io.evenkeel.ipvs.server",
        "io.evenkeel.vrrp.instance",
        "io.evenkeel.vrrp.late",
        "io.evenkeel.vrrp.masters",
        "io.evenkeel.vrrp.dropped",
        "io.evenkeel.vrrp.heartbeat",
        "io.evenkeel.vrrp.bfd",
    ]
}
