import { resolve } from 'node:path';
import { mirrorConfig } from '../provider/testing/mirror.ts';
import { RunningAuthority } from '../provider/testing/running-authority.ts';
import { TerraformFolder } from '../provider/testing/terraform.ts';

/** How many identities are declared. */
const COUNT = 1000;
const PLANS = 3;

function configuration(socket: string): string {
  return `provider "symbolon" {
  authorities = { "bench.example" = { unix_socket = "${socket}" } }
}
resource "symbolon_node" "n" {
  trust_domain = "bench.example"
  name = "n"
  address_prefixes = ["10.0.0.0/8"]
}
resource "symbolon_identity" "w" {
  count = ${COUNT}
  spiffe_id = "spiffe://bench.example/w/\${count.index}"
  parent_id = symbolon_node.n.spiffe_id
  selectors = ["unix:uid:\${10000 + count.index}"]
}
`;
}

/** Applies 1000 identities with the packaged provider against the built authority, then plans: one JSON line, milliseconds. */
async function main(): Promise<void> {
  const authority = await RunningAuthority.start('bench.example');
  const terraform = new TerraformFolder({});
  try {
    terraform.writeCliConfig(mirrorConfig(resolve('dist/mirror')));
    terraform.write(configuration(authority.socket));
    await terraform.mustRun('init', '-input=false');
    const apply = await terraform.apply();
    const plans: number[] = [];
    for (let i = 0; i < PLANS; i++) {
      const plan = await terraform.mustRun('plan', '-input=false', '-detailed-exitcode');
      plans.push(plan.ms);
    }
    const median = plans.sort((a, b) => a - b)[Math.floor(PLANS / 2)];
    console.log(JSON.stringify({ bench: 'terraform-plan', identities: COUNT, planMs: median, plansMs: plans, applyMs: apply.ms }));
  } finally {
    await authority.close();
    terraform.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});
