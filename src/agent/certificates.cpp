#include "agent/certificates.hpp"

#include <filesystem>
#include <string>

#include "agent/limits.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/result.hpp"
#include "io/blocking.hpp"
#include "io/task.hpp"
#include "io/wait_queue.hpp"
#include "site/state_dir.hpp"
#include "site/trust/ca.hpp"

namespace meridian::agent {

std::string Certificates::Renew(WallTime now) const {
  auto state = site::StateDir::Open(context_.state_directory);
  if (!state) return state.error().message;
  auto ca = site::EnsureCa(*state, context_.site, {context_.here.name}, now);
  if (!ca) return ca.error().message;
  std::string said;
  for (const std::filesystem::path& file : ca->expiring) {
    said += (said.empty() ? "" : ", ") + file.string();
  }
  return said.empty() ? said
                      : "less than a third of the time is left, and authority.key is not here to "
                        "renew them; call meridian ca where it is, and copy from there: " +
                            said;
}

io::Task<void> Certificates::Run() {
  io::BlockingPool files(1);
  std::string before;
  while (co_await io::Sleep(kCertificateInterval)) {
    std::string said =
        co_await io::RunBlocking(files, [this, now = context_.loop.Wall()] { return Renew(now); });
    if (said != before && !said.empty()) LOG_WARNING("certificates", {"problem", said});
    before = said;
  }
}

}  // namespace meridian::agent
