// Names of services and servers on the bus, both ways.

import Configuration
import IPVS
import Testing

@Suite struct NameTests {
    @Test(arguments: [
        "tcp/192.168.200.254:80", "udp/[2001:db8::1]:53", "sctp/192.0.2.1:0", "fwmark/1/inet",
        "fwmark/4294967295/inet6",
    ])
    func `a service's name parses to what printed it`(_ name: String) {
        #expect(VirtualServerIdentity(name)?.description == name)
        #expect(ServerIdentity(name + "/192.0.2.7:80")?.description == name + "/192.0.2.7:80")
        #expect(ServerIdentity(name + "/[2001:db8::7]:80")?.description == name + "/[2001:db8::7]:80")
    }

    @Test(arguments: [
        "", "tcp", "tcp/", "tcp/192.0.2.1", "tcp/192.0.2.1:80/", "TCP/192.0.2.1:80", "icmp/192.0.2.1:80",
        "fwmark/0/inet",
        "fwmark/01/inet", "fwmark/+1/inet", "fwmark/1", "fwmark/1/inet4", "fwmark/4294967296/inet", "//", "/",
    ])
    func `anything else is no name`(_ name: String) {
        #expect(VirtualServerIdentity(name) == nil)
    }
}
