#include "io/port_owner.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <span>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/core.h>
#include <sys/types.h>

#include "base/ip.hpp"
#include "base/result.hpp"
#include "io/file/file.hpp"

namespace meridian::io {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxCommandBytes = 64 * 1024;

struct ListeningSocket {
  Endpoint at;
  std::string inode;
};

// Parses "0100007F:1F90": the address in words of the machine's byte order, and the port.
std::optional<Endpoint> ParseEndpoint(std::string_view text) {
  size_t colon = text.find(':');
  if (colon != 8 && colon != 32) return std::nullopt;
  std::array<uint8_t, 16> bytes{};
  for (size_t word = 0; word < colon / 8; ++word) {
    uint32_t value = 0;
    const char* digits = text.data() + word * 8;
    if (std::from_chars(digits, digits + 8, value, 16).ptr != digits + 8) return std::nullopt;
    std::memcpy(bytes.data() + word * 4, &value, sizeof value);
  }
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, end, port, 16).ptr != end) return std::nullopt;
  Result<IpAddress> address = IpAddress::FromBytes({bytes.data(), colon / 2});
  if (!address) return std::nullopt;
  return Endpoint{*address, port};
}

// "  0: 0100007F:1F90 00000000:0000 0A 0:0 00:0 0 1000 0 12345 …": number, local, remote, state,
// queues, timer, retransmissions, user, time-out, inode.
std::optional<ListeningSocket> ParseLine(const std::string& line, std::string_view state_wanted) {
  std::istringstream fields(line);
  std::string number, local, remote, state, skipped, inode;
  fields >> number >> local >> remote >> state;
  if (state != state_wanted) return std::nullopt;
  for (int i = 0; i < 5; ++i) fields >> skipped;
  fields >> inode;
  std::optional<Endpoint> at = ParseEndpoint(local);
  if (!at || inode.empty()) return std::nullopt;
  return ListeningSocket{*at, inode};
}

std::vector<ListeningSocket> Sockets(Transport transport) {
  bool tcp = transport == Transport::kTcp;
  std::vector<ListeningSocket> sockets;
  for (const char* version : {"", "6"}) {
    std::ifstream table(fmt::format("/proc/net/{}{}", tcp ? "tcp" : "udp", version));
    for (std::string line; std::getline(table, line);) {
      // LISTEN; an unconnected UDP socket is CLOSE.
      if (auto socket = ParseLine(line, tcp ? "0A" : "07")) sockets.push_back(std::move(*socket));
    }
  }
  return sockets;
}

bool IsEveryAddress(const IpAddress& address) {
  return std::ranges::all_of(address.bytes(), [](uint8_t byte) { return byte == 0; });
}

bool HasSocket(pid_t pid, std::string_view inode) {
  const std::string wanted = fmt::format("socket:[{}]", inode);
  std::error_code error;
  for (fs::directory_iterator fd(fmt::format("/proc/{}/fd", pid), error), end; !error && fd != end;
       fd.increment(error)) {
    std::error_code unreadable;
    if (fs::read_symlink(fd->path(), unreadable).native() == wanted) return true;
  }
  return false;
}

std::vector<pid_t> AllPids() {
  std::vector<pid_t> pids;
  std::error_code error;
  for (fs::directory_iterator entry("/proc", error), end; !error && entry != end;
       entry.increment(error)) {
    std::string name = entry->path().filename();
    pid_t pid = 0;
    const char* last = name.data() + name.size();
    if (std::from_chars(name.data(), last, pid).ptr == last && pid > 0) pids.push_back(pid);
  }
  std::ranges::sort(pids);
  return pids;
}

std::vector<std::string> CommandOf(pid_t pid) {
  Result<std::string> text = ReadFile(fmt::format("/proc/{}/cmdline", pid), kMaxCommandBytes);
  std::vector<std::string> words;
  std::istringstream rest(text.value_or(""));
  for (std::string word; std::getline(rest, word, '\0');) words.push_back(word);
  return words;
}

}  // namespace

std::optional<PortOwner> OwnerOfPort(Endpoint at, Transport transport) {
  for (const ListeningSocket& socket : Sockets(transport)) {
    bool same = socket.at.address.Unmapped() == at.address || IsEveryAddress(socket.at.address);
    if (socket.at.port != at.port || !same) continue;
    for (pid_t pid : AllPids()) {
      if (HasSocket(pid, socket.inode)) return PortOwner{pid, CommandOf(pid)};
    }
  }
  return std::nullopt;
}

std::optional<Endpoint> ListensAt(std::span<const pid_t> processes) {
  for (const ListeningSocket& socket : Sockets(Transport::kTcp)) {
    bool has =
        std::ranges::any_of(processes, [&](pid_t pid) { return HasSocket(pid, socket.inode); });
    if (has) return socket.at;
  }
  return std::nullopt;
}

}  // namespace meridian::io
