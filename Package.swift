// swift-tools-version: 6.2
// One package, small modules, arrows only up the list: see docs/ARCHITECTURE.md for what each is for and may import.
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
    // Accesses that overlap are found by the tests, whose builds look at each: in a release that look is a tenth of the bus's work.
    // A section for each function: deploy/link-daemons puts those together that run all the time.
    .unsafeFlags(
        ["-enforce-exclusivity=unchecked", "-Xfrontend", "-function-sections"], .when(configuration: .release)),
]

/// Pure modules are built as for release in the tests too, with their assertions on: the simulations are several times as many in the same time.
let optimised =
    strict + [
        .unsafeFlags(["-O", "-assert-config", "Debug"], .when(configuration: .debug))
    ]

func pure(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: optimised)
}

func module(_ name: String, _ dependencies: [Target.Dependency] = [], resources: [Resource] = []) -> Target {
    .target(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func program(_ name: String, _ dependencies: [Target.Dependency], resources: [Resource] = []) -> Target {
    .executableTarget(name: name, dependencies: dependencies, resources: resources, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([package])])
}

let heap = Target.Dependency.product(name: "HeapModule", package: "swift-collections")
let deque = Target.Dependency.product(name: "DequeModule", package: "swift-collections")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "evenkeel",
    products: ["vrrpd", "ipvsd", "checkd", "scriptd", "busd", "lbctl"].map { .executable(name: $0, targets: [$0]) },
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
    ],
    targets: [
        // C: headers and shims only.
        .target(name: "CLinux"),
        library("CNl", "libnl-3.0", "libnl-3-dev"),
        library("CNlGenl", "libnl-genl-3.0", "libnl-genl-3-dev"),
        library("CNlRoute", "libnl-route-3.0", "libnl-route-3-dev"),
        library("CJsonC", "json-c", "libjson-c-dev"),
        // Headers from libcurl4-openssl-dev, libssl-dev and libpcre2-dev; loaded at run time when a check needs them (docs/checkd.md).
        .target(name: "CCurl", dependencies: ["CLinux"]),
        .target(name: "CCrypto"),
        .target(name: "CPcre", dependencies: ["CLinux"]),
        // From libmicrohttpd-dev; loaded by `lbctl serve` (docs/lbctl.md).
        .target(name: "CMicrohttpd", dependencies: ["CLinux"]),

        // Pure: no I/O, no clock, no Glibc.
        pure("Net"),
        pure("JSON", ["CJsonC"]),
        pure("Varlink", ["JSON"]),
        pure("Configuration", ["Net"]),
        pure("Scripts", ["Net", "Configuration", deque]),
        pure("VRRP", ["Net", "Configuration", "Scripts", heap, deque]),
        pure("IPVS", ["Net", "Configuration", "Scripts"]),
        pure("HealthCheck", ["Net", "Configuration", deque]),
        pure("Alerts", ["Net", "JSON", "Configuration", "IPVS", deque]),

        // Drivers.
        module("Platform", ["CLinux", "CPcre", "Net", "Configuration", heap]),
        module(
            "Netlink", ["CLinux", "CNl", "CNlGenl", "CNlRoute", "Net", "Configuration", "VRRP", "IPVS", "Platform"]),
        module(
            "Bus", ["JSON", "Varlink", "Configuration", "Platform", deque],
            resources: [.embedInCode("interfaces")]),
        module("IPVSWords", ["Net", "Configuration", "IPVS", "Bus"]),
        module("Tracking", ["Net", "Configuration", "VRRP", "Platform"]),
        module("ScriptClient", ["Net", "Configuration", "Scripts", "Platform", "Bus", deque]),

        // Programs.
        program(
            "vrrpd",
            [
                "CLinux", "CCrypto", "Net", "Configuration", "Scripts", "VRRP", "Platform", "Netlink", "Bus",
                "ScriptClient", "Tracking", "JSON", "Varlink", deque,
            ]),
        program(
            "ipvsd",
            [
                "Net", "Configuration", "Scripts", "VRRP", "IPVS", "IPVSWords", "Platform", "Netlink", "Bus",
                "ScriptClient", "JSON", "Varlink",
            ]),
        program(
            "checkd",
            [
                "Net", "Configuration", "Scripts", "VRRP", "IPVS", "HealthCheck", "Alerts", "Platform", "Netlink",
                "Bus",
                "ScriptClient", "Tracking", "JSON", "Varlink", "CLinux", "CCurl", "CCrypto", "CPcre", deque,
            ]),
        program("scriptd", ["CLinux", "Net", "Configuration", "Platform", "Bus"]),
        program("busd", ["Platform", "Bus", "JSON", "Varlink", deque]),
        program(
            "lbctl",
            [
                "Net", "Configuration", "VRRP", "IPVS", "IPVSWords", "Platform", "Netlink", "Bus", "JSON", "Varlink",
                "CMicrohttpd", arguments,
            ], resources: [.embedInCode("Serve/page")]),

        // Writes Sources/Bus/API from the interfaces: `make generate`; a test compares.
        .target(name: "Generator", dependencies: ["Varlink"], path: "Tests/Generator", swiftSettings: strict),

        // Tests: one target per module, then the lab.
        tests("NetTests", ["Net"]),
        tests("JSONTests", ["JSON"]),
        tests("VarlinkTests", ["Varlink", "JSON"]),
        tests("ConfigurationTests", ["Configuration", "Net"], exclude: ["Fixtures"]),
        tests(
            "VRRPTests", ["VRRP", "Scripts", "Tracking", "vrrpd", "Netlink", "Platform", "Configuration", "Net", heap]),
        tests(
            "IPVSTests",
            [
                "IPVS", "IPVSWords", "Scripts", "VRRP", "ipvsd", "Bus", "JSON", "Netlink", "Platform", "Configuration",
                "Net",
            ]),
        tests("HealthCheckTests", ["HealthCheck", "Configuration", "Net"]),
        tests("AlertsTests", ["Alerts", "Configuration", "IPVS", "Net"]),
        tests(
            "CheckdTests",
            [
                "checkd", "Alerts", "Scripts", "VRRP", "HealthCheck", "Configuration", "Platform", "Bus", "JSON",
                "CCurl",
                "CPcre",
                "Net",
            ]),
        tests("ScriptdTests", ["scriptd", "Configuration", "Bus", "Platform", "Net"]),
        tests("PlatformTests", ["Platform", "Configuration", "Net", "CLinux"]),
        tests("NetlinkTests", ["Netlink", "VRRP", "IPVS", "Configuration", "Net"]),
        tests(
            "LbctlTests",
            ["lbctl", "VRRP", "IPVS", "Bus", "Varlink", "JSON", "Platform", "Net", "Configuration", arguments],
            exclude: ["Screens"]),
        tests("BusTests", ["Bus", "busd", "Generator", "Varlink", "JSON", "Platform", "Net"]),
        tests("ProgramTests", ["CLinux", "Platform", "Net", "VRRP", "IPVS", "Netlink", "Bus", "Varlink", "JSON"]),
        tests(
            "LabTests", ["CLinux", "Platform", "Net", "VRRP", "Configuration", "IPVS", "Netlink", "Bus", "JSON"],
            exclude: ["Fixtures"]),
    ],
    swiftLanguageModes: [.v6]
)

// The fuzzing entries, the load generators and the writer of Sources/Bus/API: built by deploy/fuzz, deploy/bench and
// `make generate` only.
if Context.environment["EVENKEEL_TOOLS"] == "1" {
    package.targets += [
        .executableTarget(
            name: "generate", dependencies: ["Generator"], path: "Tests/Generate", swiftSettings: strict),
        .executableTarget(
            name: "fuzz", dependencies: ["Net", "JSON", "Varlink", "VRRP", "Configuration"], path: "Tests/Fuzz",
            exclude: ["corpus"], swiftSettings: strict),
        .executableTarget(
            name: "bench", dependencies: ["Net", "JSON", "Configuration", "IPVS", "Platform", "Netlink", "CLinux"],
            path: "Tests/Benchmarks", swiftSettings: strict),
    ]
}
