// The .varlink texts, embedded at build time and parsed at start.
public import Varlink

/// The interfaces of the suite as they stand in `interfaces/`.
public enum Interfaces {
    /// `io.evenkeel.Bus`, served by busd.
    public static func bus() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.io_evenkeel_Bus_varlink)
    }

    /// `io.evenkeel.Vrrp`, served by vrrpd.
    public static func vrrp() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.io_evenkeel_Vrrp_varlink)
    }

    /// `io.evenkeel.Ipvs`, served by ipvsd.
    public static func ipvs() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.io_evenkeel_Ipvs_varlink)
    }

    /// `io.evenkeel.Check`, served by checkd.
    public static func check() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.io_evenkeel_Check_varlink)
    }

    /// `io.evenkeel.Script`, served by scriptd.
    public static func script() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.io_evenkeel_Script_varlink)
    }

    /// `org.varlink.resolver`, served by busd.
    public static func resolver() throws(IDLError) -> InterfaceDefinition {
        try parse(PackageResources.org_varlink_resolver_varlink)
    }

    private static func parse(_ text: [UInt8]) throws(IDLError) -> InterfaceDefinition {
        try InterfaceDefinition(parsing: String(decoding: text, as: UTF8.self))
    }
}
