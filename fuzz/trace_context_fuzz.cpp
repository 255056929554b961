// Request ids of whatever a visitor sends: what goes on is always valid, and a valid traceparent
// stays the same when it is read again. The input is a traceparent, a tracestate and an
// X-Request-Id, each on a line.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.hpp"
#include "base/random.hpp"
#include "wire/http/fields/trace_context.hpp"
#include "wire/http/message.hpp"

namespace meridian::wire::http {
namespace {

void FuzzOne(std::string_view input) {
  RequestHead request;
  for (std::string_view name : {kTraceParentField, kTraceStateField, kRequestIdField}) {
    const size_t end = std::min(input.find('\n'), input.size());
    request.fields.Add(name, input.substr(0, end));
    input.remove_prefix(std::min(end + 1, input.size()));
  }
  Random random(1);
  const RequestIds ids(request, random);
  CHECK(IsRequestId(ids.request_id()));
  const auto again = ParseTraceParent(ids.traceparent());
  CHECK(again.has_value() && std::ranges::equal(*again, ids.traceparent()));
  HeaderFields fields;
  ids.AddTo(request, &fields);
  size_t state_bytes = 0;
  fields.ForEach(kTraceStateField, [&](std::string_view state) { state_bytes += state.size(); });
  CHECK(state_bytes <= kMaxTraceStateBytes);
  // The next hop carries on what this one says.
  RequestHead next;
  for (const HeaderField& field : fields) next.fields.Add(field.name, field.value);
  const RequestIds carried(next, random);
  CHECK(carried.request_id() == ids.request_id() && carried.traceparent() == ids.traceparent());
}

}  // namespace
}  // namespace meridian::wire::http

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  meridian::wire::http::FuzzOne({reinterpret_cast<const char*>(data), size});
  return 0;
}
