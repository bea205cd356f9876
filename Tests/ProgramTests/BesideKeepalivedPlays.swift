// What else vrrpd and keepalived go through side by side: groups, weights, reloads, and who yields to whom.

import Glibc
import Net

extension BesideKeepalivedTests {
    private static let twice = "keepalived says priority 0 twice when a fault begins"
    private static let itsMoment = "the script's next run may come at once or a second later"
    private static let all = "keepalived announces all addresses, vrrpd the new one"
    private static let loses = "keepalived may take its own removal for somebody else's, and elects anew"
    private static let anew = "keepalived begins such an instance anew: it gives the address up and takes it again"

    /// Groups, weights, reloads.
    static var tracking: [Play] {
        [
            Play(
                name: "a sync group with an interface",
                links: ["link add eth1 type veth peer name eth2", "link set eth1 up", "link set eth2 up"],
                configuration: { _ in
                    instance()
                        + instance(name: "VI_2", id: 52, more: "track_interface {\n eth1\n }\n garp_master_delay 1")
                        .replacing("10.77.0.100", with: "10.77.0.102")
                        + "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n"
                },
                steps: [
                    Play.Step(2400, "eth1 has no carrier") { try $0.ip("link set eth2 down") },
                    Play.Step(1000, "eth1 has it again") { try $0.ip("link set eth2 up") },
                    Play.Step(3400, "a better master of 51 speaks") { try $0.hear(priority: 200) }, quiet(1500),
                    stop(3400),
                    end(1200),
                ],
                differs: [
                    Play.Difference(
                        line: "eth1 has no carrier: + router 52/4: v3 type 1 priority 0",
                        reason: twice),
                    Play.Difference(
                        line: "eth1 has no carrier: − router 52/4: v3 type 1 priority 0",
                        reason: twice),
                ]),
            Play(
                name: "weights of a file",
                before: { try $0.write("0\n", to: "load") },
                configuration: {
                    "track_file load {\n file \($0.directory)/load\n weight -10\n}\n"
                        + instance(more: "track_file {\n load\n }\n garp_master_delay 1")
                },
                steps: [
                    Play.Step(4000, "the file says 4") { try $0.write("4\n", to: "load") },
                    Play.Step(1000, "the file says -3") { try $0.write("-3\n", to: "load") },
                    Play.Step(1000, "the file says 26") { try $0.write("26\n", to: "load") },
                    Play.Step(1000, "the file says 0") { try $0.write("0\n", to: "load") }, stop(3000), end(1000),
                ],
                differs: [
                    Play.Difference(
                        line: "the file says 26: + router 51/4: v3 type 1 priority 0",
                        reason: twice),
                    Play.Difference(
                        line: "the file says 26: − router 51/4: v3 type 1 priority 0",
                        reason: twice),
                ]),
            Play(
                name: "weights of a script",
                before: { try $0.write("#!/bin/sh\nexit 0\n", to: "check") },
                configuration: {
                    "global_defs {\n script_user root\n}\nvrrp_script check {\n script \"\($0.directory)/check\"\n interval 1\n weight -30\n}\n"
                        + instance(more: "track_script {\n check\n }\n garp_master_delay 1")
                },
                steps: [
                    Play.Step(5000, "the script fails") { try $0.write("#!/bin/sh\nexit 1\n", to: "check") },
                    Play.Step(3000, "the script succeeds") { try $0.write("#!/bin/sh\nexit 0\n", to: "check") },
                    stop(3000), end(1000),
                ],
                differs: [
                    Play.Difference(
                        line: "the script fails: ", reason: itsMoment,
                        isSure: false),
                    Play.Difference(
                        line: "the script succeeds: ",
                        reason: itsMoment, isSure: false),
                ]),
            Play(
                name: "reloads", configuration: { _ in instance() },
                steps: [
                    Play.Step(2400, "an address more") {
                        try $0.reload(instance("version 3\n advert_int 0.3", ["10.77.0.100/24", "10.77.0.101/24"]))
                    },
                    Play.Step(2400, "an address less") {
                        try $0.reload(instance("version 3\n advert_int 0.3", ["10.77.0.101/24"]))
                    },
                    Play.Step(2400, "another priority") {
                        try $0.reload(instance(priority: 120, "version 3\n advert_int 0.3", ["10.77.0.101/24"]))
                    },
                    Play.Step(2400, "another interval") {
                        try $0.reload(instance(priority: 120, "version 3\n advert_int 0.5", ["10.77.0.101/24"]))
                    }, stop(2400), end(1000),
                ],
                differs: [
                    Play.Difference(line: "an address more: − 10.77.0.100: ARP", reason: all, isSure: false),
                    Play.Difference(line: "an address more: ", reason: loses, isSure: false),
                    Play.Difference(line: "an address less: ", reason: loses, isSure: false),
                    Play.Difference(line: "another priority: ", reason: loses, isSure: false),
                    Play.Difference(line: "another interval: − 10.77.0.101: ARP", reason: anew, isSure: false),
                    Play.Difference(line: "another interval: − order", reason: anew, isSure: false),
                    Play.Difference(line: "another interval: ! router 51/4", reason: anew, isSure: false),
                    // Not when it elected anew at the reload before.
                    Play.Difference(line: "another interval: − router 51/4", reason: anew, isSure: false),
                ]),
        ]
    }

    /// Who yields to whom, and what else can be asked for.
    static var wishes: [Play] {
        [
            Play(
                name: "nopreempt", before: { try $0.hear(priority: 50) }, isSilent: true,
                configuration: { _ in instance(more: "nopreempt\n garp_master_delay 1") },
                steps: [quiet(3000), better(3400), quiet(1500), end(2500)]),
            Play(
                name: "preemption of a lower master", before: { try $0.hear(priority: 50) },
                configuration: { _ in instance() }, steps: [quiet(3500), end(1500)]),
            Play(
                name: "preempt_delay", before: { try $0.hear(priority: 50) },
                configuration: { _ in instance(more: "preempt_delay 2\n garp_master_delay 1") },
                steps: [quiet(6000), end(1500)]),
            Play(
                name: "one lower advertisement",
                configuration: { _ in instance(more: "garp_lower_prio_delay 1\n garp_lower_prio_repeat 3") },
                steps: [
                    Play.Step(6500, "a lower one speaks once") { try $0.hear(priority: 50, once: true) }, end(2500),
                ]),
            Play(
                name: "equal priorities", configuration: { _ in instance() },
                steps: [
                    Play.Step(2400, "an equal one with a lower address speaks once") {
                        try $0.hear(priority: 100, once: true, from: "10.77.0.0")
                    },
                    Play.Step(2400, "an equal one with a higher address speaks") { try $0.hear(priority: 100) },
                    quiet(1500),
                    end(3000),
                ]),
            Play(
                name: "priority 0", configuration: { _ in instance() },
                steps: [
                    Play.Step(2400, "a backup resigns") { try $0.hear(priority: 0, once: true) }, better(2000),
                    Play.Step(1500, "the master resigns") {
                        try $0.quiet()
                        try $0.hear(priority: 0, once: true)
                    }, end(2400),
                ]),
            Play(
                name: "refreshes",
                configuration: { _ in
                    instance(
                        "version 3\n advert_int 0.3", ["10.77.0.100/24", "10.77.0.101/24"],
                        more:
                            "garp_master_delay 1\n garp_master_repeat 2\n garp_master_refresh 1\n garp_master_refresh_repeat 3"
                    )
                    // Refreshes are at 2, 3, 4 and 5 s: two adverts may pass before the stop, and it is between the same two for both.
                }, steps: [stop(4200), end(1000)]),
            Play(
                name: "an owner", configuration: { _ in instance(priority: 255) },
                steps: [better(2400), quiet(1500), stop(1500), end(1000)]),
            Play(
                name: "no answers, more answers, patience",
                configuration: { _ in
                    instance(
                        more:
                            "garp_master_delay 1\n lower_prio_no_advert true\n higher_prio_send_advert true\n down_timer_adverts 5"
                    )
                },
                steps: [
                    Play.Step(2400, "a lower one speaks once") { try $0.hear(priority: 50, once: true) }, better(2400),
                    quiet(1500), end(3400),
                ]),
            Play(
                name: "strict", configuration: { _ in "global_defs {\n vrrp_strict\n}\n" + instance() }, steps: life),
            Play(
                name: "as a backup", before: { try $0.hear(priority: 200) }, isSilent: true,
                configuration: { _ in instance() },
                steps: [stop(2500), end(1000)]),
        ]
    }
}
