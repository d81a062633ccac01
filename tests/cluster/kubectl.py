"""The stock kubectl, run against a test's API server and nothing else."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.apiserver import ApiServer


def find_kubectl() -> Path | None:
    """Return the kubectl installed beside this interpreter, the one version tests are run with."""
    path = Path(sys.executable).with_name("kubectl")
    return path if path.is_file() else None


@dataclass(frozen=True)
class Kubectl:
    """Runs kubectl with an empty home folder and no setting but the server."""

    binary: Path
    home: Path

    def __call__(
        self, server: ApiServer, *arguments: str, stdin: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run kubectl to its end, at most two minutes.

        Raises:
            AssertionError: it failed and `check` is true; the message has its standard error.
            subprocess.TimeoutExpired: it did not end in time, and was killed.
        """
        kubeconfig = server.write_kubeconfig(self.home / f"kubeconfig-{server.port}")
        result = subprocess.run(
            [self.binary, *arguments],
            input=stdin,
            env={"KUBECONFIG": str(kubeconfig), "HOME": str(self.home)},
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if check and result.returncode:
            raise AssertionError(
                f"kubectl {' '.join(arguments)}: exit code {result.returncode}\n{result.stderr}"
            )
        return result
