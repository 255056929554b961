// ResponseWriter: writes the response to one query into the caller's buffer: header, question,
// records with compressed names, and last the OPT record, whose space is reserved from the start.
// Owned by the thread that answers; lives for one response; allocates nothing.
//
// Invariants: the buffer always holds whole records; sections are in order; the response never
// exceeds the buffer. A record of the answer or authority section that does not fit sets TC, and
// then only the OPT is added (RFC 2181 section 9); an additional record that does not fit is left
// out.
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

// The first fields of every record. The owner must be valid during the call only.
struct RecordHead {
  Section section;
  const Name& owner;
  uint32_t ttl_seconds;
};

// The size limit of a UDP response to `query`: the size that its client announced, at least 512 and
// at most 1232 (RFC 6891 section 6.2.5).
size_t UdpResponseLimit(const Query& query);

class ResponseWriter {
 public:
  // `buffer` has at least kMinUdpResponseBytes (CHECK); all of it may be used. `query` must outlive
  // the writer. The response begins with its question in the same spelling.
  ResponseWriter(const Query& query, MutableBytes buffer);
  ResponseWriter(const ResponseWriter&) = delete;
  ResponseWriter& operator=(const ResponseWriter&) = delete;

  void SetRcode(Rcode rcode) { rcode_ = rcode; }
  void SetAuthoritative() { authoritative_ = true; }
  // The number of bits of the client's address on which the answer depends (RFC 7871 section
  // 7.2.1); default 0. No effect if the query has no client subnet.
  void SetSubnetScope(uint8_t bits) { subnet_scope_ = bits; }

  // Each writes one record of class IN. Sections must not go backwards (CHECK).
  void Address(const RecordHead& head, const IpAddress& address);  // A or AAAA
  void NameServer(const RecordHead& head, const Name& host);
  void CanonicalName(const RecordHead& head, const Name& target);
  void StartOfAuthority(const RecordHead& head, const SoaData& soa);
  // `priority` replaces the binding's own.
  void Https(const RecordHead& head, uint16_t priority, const ServiceBinding& binding);
  // TXT or HINFO: strings of at most 255 bytes each (CHECK).
  void Text(const RecordHead& head, RecordType type, std::span<const std::string_view> strings);
  // Any type with RDATA in its wire form, without compressible names.
  void Opaque(const RecordHead& head, RecordType type, RecordClass record_class, Bytes rdata);

  bool truncated() const { return truncated_; }
  // Ends the response and returns its size. Call once.
  size_t Finish();

 private:
  template <class WriteRdata>
  void Write(const RecordHead& head, RecordType type, RecordClass record_class,
             WriteRdata write_rdata);
  void AppendName(const Name& name);
  // The offset of a name in the message that equals the labels `suffix`, or 0 if there is none.
  uint16_t FindTarget(Bytes suffix) const;
  bool IsNameAt(size_t offset, Bytes suffix) const;

  const Query& query_;
  MutableBytes buffer_;
  ByteWriter writer_;  // ends before the space of the OPT
  Section section_ = Section::kAnswer;
  std::array<uint16_t, 3> counts_{};
  std::array<uint16_t, kMaxCompressionTargets>
      targets_;  // offsets; the first target_count_ are valid
  size_t target_count_ = 0;
  Rcode rcode_ = Rcode::kNoError;
  uint8_t subnet_scope_ = 0;
  bool authoritative_ = false;
  bool truncated_ = false;
};

}  // namespace meridian::wire::dns
