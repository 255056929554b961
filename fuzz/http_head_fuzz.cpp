// Heads: any split of the input gives the same outcome, and what was accepted can be written so
// that it parses to the same again. The first byte chooses the kind of head, the second the split.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "wire/http/head_parser.hpp"
#include "wire/http/head_writer.hpp"
#include "wire/http/hop_by_hop.hpp"
#include "wire/http/uri.hpp"

namespace meridian::wire::http {
namespace {

using State = HeadOutcome::State;

// Small, so that the fuzzer reaches them.
constexpr HeadLimits kLimits{.max_head_bytes = 600, .max_start_line_bytes = 100, .max_fields = 12};

void CheckSame(const HeadOutcome& a, const HeadOutcome& b) {
  CHECK(a.state == b.state);
  CHECK(a.state != State::kError || a.error == b.error);
  CHECK(a.state != State::kDone || a.consumed == b.consumed);
}

void CheckSameFields(const HeaderFields& a, const HeaderFields& b) {
  CHECK(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) CHECK(a[i] == b[i]);
}

// The outcome when the first `split` bytes come first, somewhere else in memory, then one by one.
template <class Parse>
HeadOutcome ParseInPieces(std::string_view input, size_t split, std::unique_ptr<char[]>* storage,
                          Parse parse) {
  HeadOutcome outcome;
  for (size_t size = split; size <= input.size() && outcome.state == State::kNeedMore; ++size) {
    auto bytes = std::make_unique<char[]>(size);
    input.copy(bytes.get(), size);
    outcome = parse(std::string_view(bytes.get(), size));
    *storage = std::move(bytes);
  }
  return outcome;
}

void CheckViewsInside(const HeaderFields& fields, std::string_view input) {
  for (const HeaderField& field : fields) {
    CHECK(field.name.data() >= input.data());
    CHECK(field.value.data() + field.value.size() <= input.data() + input.size());
  }
}

template <class Writer>
void WriteFields(const HeaderFields& fields, Writer* writer) {
  for (const HeaderField& field : fields) writer->Field(field.name, field.value);
}

void CheckRewritten(const RequestHead& head) {
  if (head.form == TargetForm::kAuthority || head.minor_version == 0) return;
  Buffer buffer(2 * kLimits.max_head_bytes);
  HeadWriter writer(&buffer);
  writer.RequestLine(head.method, head.path, head.query);
  WriteFields(head.fields, &writer);
  CHECK(writer.Finish());
  RequestHead again;
  RequestHeadParser parser;
  CHECK(parser.Parse(buffer.text(), &again).state == State::kDone);
  CHECK(again.method == head.method && again.path == head.path && again.query == head.query);
  CHECK(again.body == head.body && again.keep_alive == head.keep_alive);
  CHECK(again.upgrade == head.upgrade && again.expects_continue == head.expects_continue);
  CheckSameFields(again.fields, head.fields);
}

void CheckRewritten(const ResponseHead& head, RequestKind kind) {
  Buffer buffer(2 * kLimits.max_head_bytes);
  HeadWriter writer(&buffer);
  writer.StatusLine(head.status, head.reason);
  WriteFields(head.fields, &writer);
  CHECK(writer.Finish());
  ResponseHead again;
  ResponseHeadParser parser;
  CHECK(parser.Parse(buffer.text(), kind, &again).state == State::kDone);
  CHECK(again.status == head.status && (head.reason.empty() || again.reason == head.reason));
  CHECK(head.minor_version == 0 ||
        (again.body == head.body && again.keep_alive == head.keep_alive));
  CheckSameFields(again.fields, head.fields);
}

void FuzzRequest(std::string_view input, size_t split) {
  RequestHeadParser parser(kLimits);
  RequestHead head;
  HeadOutcome whole = parser.Parse(input, &head);
  RequestHeadParser pieces_parser(kLimits);
  RequestHead pieces_head;
  std::unique_ptr<char[]> storage;
  HeadOutcome pieces = ParseInPieces(input, split, &storage, [&](std::string_view bytes) {
    return pieces_parser.Parse(bytes, &pieces_head);
  });
  CheckSame(whole, pieces);
  if (whole.state != State::kDone) return;
  CHECK(head.target == pieces_head.target && head.authority == pieces_head.authority);
  CHECK(head.path == pieces_head.path && head.query == pieces_head.query);
  CheckSameFields(head.fields, pieces_head.fields);
  CheckViewsInside(head.fields, input);
  CheckRewritten(head);
  ForwardFilter filter(head.fields, head.nominates_fields);
  CHECK(filter.Forwards("Host") && !filter.Forwards("Connection"));
  if (MatchPath(head.path, "/.meridian") == PathMatch::kWithin) {
    CHECK(head.path.starts_with("/.meridian"));
  }
}

void FuzzResponse(std::string_view input, size_t split, RequestKind kind) {
  ResponseHeadParser parser(kLimits);
  ResponseHead head;
  HeadOutcome whole = parser.Parse(input, kind, &head);
  ResponseHeadParser pieces_parser(kLimits);
  ResponseHead pieces_head;
  std::unique_ptr<char[]> storage;
  HeadOutcome pieces = ParseInPieces(input, split, &storage, [&](std::string_view bytes) {
    return pieces_parser.Parse(bytes, kind, &pieces_head);
  });
  CheckSame(whole, pieces);
  if (whole.state != State::kDone) return;
  CHECK(head.reason == pieces_head.reason && head.body == pieces_head.body);
  CheckSameFields(head.fields, pieces_head.fields);
  CheckViewsInside(head.fields, input);
  CheckRewritten(head, kind);
}

void Fuzz(uint8_t kind, std::string_view input, size_t split) {
  switch (kind % 4) {
    case 0:
    case 1:
      FuzzRequest(input, split);
      break;
    case 2:
      FuzzResponse(input, split, RequestKind::kOrdinary);
      break;
    case 3:
      FuzzResponse(input, split, RequestKind::kHead);
      break;
  }
}

}  // namespace
}  // namespace meridian::wire::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  std::string_view input(reinterpret_cast<const char*>(data) + 2, size - 2);
  meridian::wire::http::Fuzz(data[0], input, std::min<size_t>(data[1], input.size()));
  return 0;
}
