// The EDNS0 OPT pseudo-record (RFC 6891) and the client subnet option inside it (RFC 7871), read
// and written. Pure; nothing is allocated.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/message.hpp"

namespace meridian::wire::dns {

// The fields of an OPT record after its (root) name and type, as in any record.
struct OptFields {
  uint16_t record_class;  // the UDP size
  uint32_t ttl;           // upper rcode, version, flags
  Bytes data;             // options
};

// Reads an OPT. Skips unknown options, and all options of a version other than 0. False: options
// overrun the record, there are more than kMaxQueryOptions, two client subnets, or an invalid one:
// a family other than 1 and 2 (or 0 with length 0), a length past the family's, an address of more
// or fewer bytes than the length needs, or bits set past the length (RFC 7871 sections 6 and
// 7.1.2).
bool DecodeEdns(const OptFields& opt, Edns* edns);

// Number of bytes that EncodeEdns writes.
size_t EncodedEdnsBytes(const Edns& edns);
// Writes the whole record with its root name, and as many bits of a subnet's address as its source
// length says.
void EncodeEdns(const Edns& edns, ByteWriter* writer);

}  // namespace meridian::wire::dns
