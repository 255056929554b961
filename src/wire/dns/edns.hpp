// The EDNS0 OPT pseudo-record (RFC 6891) and the client subnet option inside it (RFC 7871), read
// and written. Pure; nothing is allocated.
#pragma once

#include "base/bytes.hpp"
#include "wire/dns/message.hpp"

namespace meridian::wire::dns {

// The fields of an OPT record behind its (root) name and type, as any record has them.
struct OptFields {
  uint16_t record_class;  // the UDP size
  uint32_t ttl;           // upper rcode, version, flags
  Bytes data;             // options
};

// Reads an OPT. Unknown options are skipped, and so are all of a version that is not 0. False for
// options that overrun the record, more than kMaxQueryOptions, two client subnets, or a bad one:
// family not 1 or 2 (or 0 with length 0), a length past the family's, an address of more or fewer
// bytes than the length needs, bits set past the length (RFC 7871 sections 6 and 7.1.2).
bool DecodeEdns(const OptFields& opt, Edns* edns);

// The bytes that EncodeEdns will write.
size_t EncodedEdnsBytes(const Edns& edns);
// Writes the whole record, its root name included. Of a subnet's address, as many bits as its
// source length says.
void EncodeEdns(const Edns& edns, ByteWriter* writer);

}  // namespace meridian::wire::dns
