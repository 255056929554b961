// Writes the response to one query straight into a buffer of the caller's: header, question,
// records with compressed names, and last the OPT record, whose room is kept free from the start.
// Owned by the thread that answers; lives for one response; allocates nothing.
//
// Invariants: what was written is always whole records; sections come in order; the response never
// outgrows the buffer. A record of the answer or authority section that does not fit sets TC, and
// nothing more is taken but the OPT (RFC 2181 section 9); an additional one is left out.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.hpp"
#include "base/ip.hpp"
#include "wire/dns/limits.hpp"
#include "wire/dns/message.hpp"
#include "wire/dns/query.hpp"
#include "wire/dns/record.hpp"

namespace meridian::wire::dns {

enum class Section : uint8_t { kAnswer, kAuthority, kAdditional };

// What every record begins with. The owner must outlive the call only.
struct RecordHead {
  Section section;
  const Name& owner;
  uint32_t ttl_seconds;
};

// The most bytes that a response over UDP to `query` may have: what its client said to take, at
// least 512 and at most 1232 (RFC 6891 section 6.2.5).
size_t UdpResponseLimit(const Query& query);

class ResponseWriter {
 public:
  // `buffer` has at least kMinUdpResponseBytes (else CHECK), and all of it may be used. `query`
  // must outlive the writer. Its question, letter case included, opens the response.
  ResponseWriter(const Query& query, MutableBytes buffer);
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  void SetRcode(Rcode rcode) { rcode_ = rcode; }
  void SetAuthoritative() { authoritative_ = true; }
  // The bits of the client's address that the answer depends on (RFC 7871 section 7.2.1); 0, none,
  // unless said. No effect without a client subnet in the query.
  void SetSubnetScope(uint8_t bits) { subnet_scope_ = bits; }

  // Each writes one record of class IN. Sections must not go backwards (CHECK).
  void Address(const RecordHead& head, const IpAddress& address);  // A or AAAA
  void NameServer(const RecordHead& head, const Name& host);
  void CanonicalName(const RecordHead& head, const Name& target);
  void StartOfAuthority(const RecordHead& head, const SoaData& soa);
  // `priority` stands in for the binding's own.
  void Https(const RecordHead& head, uint16_t priority, const ServiceBinding& binding);
  // TXT or HINFO: strings of at most 255 bytes each (CHECK).
  void Text(const RecordHead& head, RecordType type, std::span<const std::string_view> strings);
  // Any type with RDATA in its wire form, without compressible names.
  void Opaque(const RecordHead& head, RecordType type, RecordClass record_class, Bytes rdata);

  bool truncated() const { return truncated_; }
  // Ends the response and returns its bytes. Once.
  size_t Finish();

 private:
  template <class WriteRdata>
  void Write(const RecordHead& head, RecordType type, RecordClass record_class,
             WriteRdata write_rdata);
  void AppendName(const Name& name);
  // The offset of a name in the message that equals the labels `suffix`, or 0.
  uint16_t FindTarget(Bytes suffix) const;
  bool IsNameAt(size_t offset, Bytes suffix) const;

  const Query& query_;
  MutableBytes buffer_;
  ByteWriter writer_;  // stops short of the OPT's room
  Section section_ = Section::kAnswer;
  std::array<uint16_t, 3> counts_{};
  std::array<uint16_t, kMaxCompressionTargets> targets_;  // offsets; the first target_count_ hold
  size_t target_count_ = 0;
  Rcode rcode_ = Rcode::kNoError;
  uint8_t subnet_scope_ = 0;
  bool authoritative_ = false;
  bool truncated_ = false;
};

}  // namespace meridian::wire::dns
