#include "site/coordinator/term_record.hpp"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/result.hpp"
#include "site/coordinator/limits.hpp"
#include "site/view/json_reader.hpp"
#include "wire/json/writer.hpp"

namespace meridian::site {
namespace {

constexpr size_t kLifeDigits = 16;

// Nothing: it has another form.
std::optional<uint64_t> ReadLife(std::string_view text) {
  uint64_t life = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), life, 16);
  const bool whole = error == std::errc{} && end == text.data() + text.size();
  if (text.size() != kLifeDigits || !whole) return std::nullopt;
  return life;
}

}  // namespace

std::string ToJson(const TermRecord& record) {
  wire::json::Writer writer;
  writer.BeginObject();
  writer.Member("holder", record.holder);
  // As text: readers of JSON need not have numbers of 64 bits.
  writer.Member("life", fmt::format("{:016x}", record.life));
  writer.Member("epoch", record.epoch);
  writer.Member("beat", record.beat);
  writer.EndObject();
  return writer.Take();
}

Result<TermRecord> ReadTermRecord(std::string_view json) {
  auto object = ParseObject(json, kMaxTermRecordBytes);
  if (!object) return Fail(std::move(object.error()));
  std::optional<Error> error;
  JsonReader reader(*object, "term", &error);
  TermRecord record{.holder = reader.Text("holder", kMaxTermHolderBytes)};
  const std::optional<uint64_t> life = ReadLife(reader.Text("life", kLifeDigits));
  if (!life) reader.Reject(Errc::kInvalid, "life", "is no number of 16 hexadecimal digits");
  record.life = life.value_or(0);
  record.epoch = reader.Unsigned("epoch");
  record.beat = reader.Unsigned("beat");
  if (error) return Fail(std::move(*error));
  return record;
}

}  // namespace meridian::site
