// Generated from Sources/Bus/interfaces/io.evenkeel.Bus.varlink: change that and run `make generate`.
// The names of the methods of `io.evenkeel.Bus`.

extension BusAPI {
    /// A method, by its name on the wire.
    public enum MethodName: String {
        case subscribe = "io.evenkeel.Bus.Subscribe"
        case publish = "io.evenkeel.Bus.Publish"
        case register = "io.evenkeel.Bus.Register"
        case listServices = "io.evenkeel.Bus.ListServices"
        case getStatistics = "io.evenkeel.Bus.GetStatistics"
    }
}
